// The page for people: chat, memory and speed, as one HTML file that is part of the program. The server of
// `cistern serve` takes the routes; what the page asks for in turn (docs/page.md) is served by others. The
// file and its policy are made from web/ and never edited here. Pure; thread-safe; the bytes live as long as
// the program.
#pragma once

#include <string_view>
#include <vector>

#include "serve/http/route.h"

namespace cistern::serve::page {

std::string_view html();

// GET of "/", "/index.html" and "/favicon.svg". They need no key: they hold nothing of the user's.
std::vector<http::Route> routes();

}  // namespace cistern::serve::page
