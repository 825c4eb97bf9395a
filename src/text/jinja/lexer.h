// Cuts a template into tokens under transformers' settings: trim_blocks, lstrip_blocks, one trailing newline
// dropped, CR and CRLF read as LF. White space control ({%- -%} {%+ +%}), comments and raw blocks are dealt
// with here: the parser sees text, tags and expressions only. Raises Failure with the line of the offence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cistern::text::jinja {

enum class TokenType {
  kEnd,            // of the template
  kText,           // template data; Token::text is what will be written
  kBlockBegin,     // {%
  kBlockEnd,       // %}
  kVariableBegin,  // {{
  kVariableEnd,    // }}
  kName,
  kString,   // Token::text is the unescaped value
  kInteger,  // Token::text is the literal without underscores
  kFloat,
  kOperator,  // Token::text is the operator
};

struct Token {
  TokenType type;
  std::string text;
  int line;
};

// What to call a token in an error message.
std::string describe(const Token& token);

// REQUIRES: source is valid UTF-8. The last token is kEnd.
std::vector<Token> tokenize(std::string_view source);

}  // namespace cistern::text::jinja
