// Second pass over a parsed template: gives every variable its slot, marks which scopes load what, and
// refuses what Jinja's compiler refuses (unknown filters and tests outside of conditions, break outside of a
// loop, ...). Used by Template::parse. Raises Failure with a line.
#pragma once

#include "text/jinja/ast.h"

namespace cistern::text::jinja {

void resolve(Program& program);

}  // namespace cistern::text::jinja
