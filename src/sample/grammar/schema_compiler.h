// Turns a checked JSON Schema into rules of a Builder, one schema after the other: schemas within schemas
// wait in a queue, so that no nesting is too deep for the stack. Internal to add_json_schema (compiled.h);
// the keywords of objects and strings have files of their own.
#pragma once

#include <boost/json/value.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sample/grammar/builder.h"
#include "sample/grammar/dfa.h"
#include "sample/grammar/json_text.h"
#include "sample/grammar/schema_alternatives.h"
#include "sample/grammar/schema_merge.h"

namespace cistern::sample::grammar {

class SchemaCompiler {
 public:
  SchemaCompiler(Builder& builder, const boost::json::value& root, const std::string& where)
      : builder_(builder), json_(builder), document_(root, where) {}

  // The rule of the whole schema.
  Result<RuleId> compile(const boost::json::value& schema, const std::string& where);

 private:
  using Object = boost::json::object;

  // A rule that is filled later. The schema must live as long as this.
  Result<RuleId> rule_for(const boost::json::value& schema, const std::string& where);
  Result<void> fill(RuleId rule, const boost::json::value& schema, const std::string& where);
  Result<void> fill_alternative(RuleId rule, const Object& schema, const std::string& where);
  Result<void> fill_values(RuleId rule, const Object& schema, const boost::json::array& values,
                           const std::string& where);
  Result<bool> admits(const Object& schema, const boost::json::value& value, const std::string& where);
  // Rules of one type; each returns the state at its end.
  Result<StateId> add_number(StateId from, const Object& schema, bool integer, const std::string& where);
  Result<StateId> add_string(StateId from, const Object& schema, const std::string& where);
  Result<StateId> add_array(StateId from, const Object& schema, const std::string& where);
  Result<StateId> add_object(StateId from, const Object& schema, const std::string& where);

  // All that pattern and format say (schema_string.cc); nothing: any string. `bounded`: lengths, too.
  Result<std::optional<Dfa>> string_dfa(const Object& schema, bool bounded, const std::string& where);

  // Of objects (schema_object.cc).
  struct Property {
    RuleId rule = 0;  // its name and value
    bool required = false;
  };
  struct PatternRow {
    std::string_view pattern;
    const boost::json::value* schema;
    Dfa keys;
  };
  Result<std::vector<PatternRow>> patterns_of(const Object& schema, const std::string& where);
  Result<std::vector<Property>> properties_of(const Object& schema, const std::vector<PatternRow>& patterns,
                                              const std::string& where);
  // The rule of a member that no name is given for; nothing: there is none.
  Result<std::optional<RuleId>> other_member(const Object& schema, const std::vector<PatternRow>& patterns,
                                             const std::string& where);
  Result<void> add_members(RuleId member, const std::optional<Dfa>& keys, const boost::json::value& schema,
                           const std::string& where);
  Result<std::optional<Dfa>> key_names(const Object& schema, const std::string& where);
  StateId add_properties(StateId from, const std::vector<Property>& properties, std::optional<RuleId> others,
                         std::uint32_t min, std::uint32_t max);

  Builder& builder_;
  JsonText json_;
  SchemaDocument document_;
  struct Waiting {
    RuleId rule;
    const boost::json::value* schema;
    std::string where;
  };
  std::deque<Waiting> waiting_;
  std::deque<std::vector<Alternative>> kept_;  // that waiting schemas are parts of
  std::deque<boost::json::value> made_;        // likewise
  std::map<std::string, RuleId> by_reference_, by_text_;
};

// A count, or `otherwise` where the keyword is not there; what is too large is kEndless.
std::uint32_t count_of(const boost::json::object& schema, std::string_view keyword, std::uint32_t otherwise);

}  // namespace cistern::sample::grammar
