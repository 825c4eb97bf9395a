// Reads the vocabulary and the chat template of a model from GGUF metadata (tokenizer.*). Called by the
// engine's loader and by the tools; makes plain data for text::Tokenizer, which checks what the tokens
// themselves say. Nothing is copied: strings are views into the file's mapping, which must outlive the Vocab.
// Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "file/metadata.h"
#include "text/vocab.h"

namespace cistern::spec {

// Types, lengths and ids are checked: kFormat names the key and the index. Keys that a file may leave out get
// the defaults of its tokenizer.ggml.model, special ids only where the default is a control token of this
// vocabulary. Ids of separator and class tokens beyond the vocabulary count as absent.
// kUnsupported: a tokenizer.ggml.model that has no implementation.
Result<text::Vocab> read_vocab(const file::Metadata& metadata);

// tokenizer.chat_template; nullopt if there is none.
Result<std::optional<std::string_view>> read_chat_template(const file::Metadata& metadata);

}  // namespace cistern::spec
