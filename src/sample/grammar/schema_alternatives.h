// A schema as a list of schemas without $ref, allOf, anyOf and oneOf, of which any may hold: what is left to
// compile are keywords of single types. Follows references within one document. Not thread-safe; the document
// must outlive it.
#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace cistern::sample::grammar {

struct Alternative {
  boost::json::object schema;  // without annotations
  std::string where;
};

class SchemaDocument {
 public:
  explicit SchemaDocument(const boost::json::value& root, std::string where)
      : root_(root), where_(std::move(where)) {}

  // Empty: no value satisfies the schema. kUnsupported where there are too many, where schemas that hold
  // together cannot be joined, or where the alternatives of a oneOf cannot be told apart.
  Result<std::vector<Alternative>> alternatives(const boost::json::value& schema, const std::string& where);

  // kFormat where nothing is there, kUnsupported for references to other documents.
  Result<const boost::json::value*> resolve(const boost::json::string& reference, const std::string& where);
  // The place that a reference names.
  std::string place_of(const boost::json::string& reference) const;

 private:
  using Alternatives = std::vector<Alternative>;
  Result<Alternatives> expand(const boost::json::value& schema, const std::string& where, int nesting);
  Result<Alternatives> expand_any_of(const Alternatives& base, const boost::json::array& schemas,
                                     const std::string& where, int nesting);
  Result<Alternatives> expand_one_of(const Alternatives& base, const boost::json::array& schemas,
                                     const std::string& where, int nesting);
  Result<Alternatives> cross(const Alternatives& some, const Alternatives& others, const std::string& where);
  Result<void> charge(const boost::json::value& copied, const std::string& where);

  const boost::json::value& root_;
  std::string where_;
  std::set<std::string, std::less<>> checked_;  // references whose schemas passed check_keywords()
  std::size_t copied_ = 0;                      // values: what schemas within schemas can multiply
};

}  // namespace cistern::sample::grammar
