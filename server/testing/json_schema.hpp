#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace muxlab::test {

/// Checks JSON against a JSON Schema (draft 2020-12) as far as this project's schemas go: a keyword
/// that is not known here is a violation too, so that none is passed over.
class JsonSchema {
 public:
  using Json = nlohmann::ordered_json;
  explicit JsonSchema(Json schema) : schema_(std::move(schema)) {}

  /// What is wrong and where; empty when nothing is.
  [[nodiscard]] std::vector<std::string> violations(const Json& value) const {
    std::vector<std::string> found;
    check(value, schema_, "", found);
    return found;
  }

 private:
  static bool has_type(const Json& value, const std::string& type) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  static bool has_one_type(const Json& value, const Json& types) {
    if (types.is_string()) return has_type(value, types);
    return std::ranges::any_of(types, [&](const Json& type) { return has_type(value, type); });
  }

  void check(const Json& value, const Json& schema, const std::string& where,
             std::vector<std::string>& found) const {
    for (const auto& [keyword, wanted] : schema.items()) {
      if (!holds(keyword, wanted, value, schema, where, found)) {
        found.push_back(fmt::format("{}: {} is against {} {}", where, value.dump().substr(0, 80),
                                    keyword, wanted.dump().substr(0, 200)));
      }
    }
  }

  bool holds(const std::string& keyword, const Json& wanted, const Json& value, const Json& schema,
             const std::string& where, std::vector<std::string>& found) const {
    if (keyword == "$ref") {
      check(value, schema_.at(Json::json_pointer(wanted.get<std::string>().substr(1))), where,
            found);
      return true;
    }
    if (keyword == "type") return has_one_type(value, wanted);
    if (keyword == "const") return value == wanted;
    if (keyword == "enum") return std::ranges::find(wanted, value) != wanted.end();
    if (keyword == "minimum") return !value.is_number() || value >= wanted;
    if (keyword == "minItems") return !value.is_array() || value.size() >= wanted;
    if (keyword == "maxItems") return !value.is_array() || value.size() <= wanted;
    if (keyword == "items") return check_items(value, wanted, where, found);
    if (keyword == "required") {
      return !value.is_object() || std::ranges::all_of(wanted, [&](const Json& key) {
        return value.contains(key.get<std::string>());
      });
    }
    if (keyword == "properties") return check_properties(value, wanted, where, found);
    if (keyword == "additionalProperties") {
      return check_others(value, wanted, schema.value("properties", Json::object()), where, found);
    }
    static const std::vector<std::string> kSaysNothing = {"$schema", "$defs", "title",
                                                          "description"};
    return std::ranges::find(kSaysNothing, keyword) != kSaysNothing.end();
  }

  bool check_items(const Json& value, const Json& schema, const std::string& where,
                   std::vector<std::string>& found) const {
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
      check(value[i], schema, fmt::format("{}/{}", where, i), found);
    }
    return true;
  }

  bool check_properties(const Json& value, const Json& schemas, const std::string& where,
                        std::vector<std::string>& found) const {
    for (const auto& [key, schema] : schemas.items()) {
      if (value.is_object() && value.contains(key)) {
        check(value[key], schema, where + '/' + key, found);
      }
    }
    return true;
  }

  bool check_others(const Json& value, const Json& wanted, const Json& known,
                    const std::string& where, std::vector<std::string>& found) const {
    if (!value.is_object()) return true;
    for (const auto& [key, other] : value.items()) {
      if (known.contains(key)) continue;
      if (wanted.is_object()) {
        check(other, wanted, where + '/' + key, found);
      } else if (wanted == false) {
        found.push_back(fmt::format("{}: the key {} is not in the schema", where, key));
      }
    }
    return true;
  }

  Json schema_;
};

}  // namespace muxlab::test
