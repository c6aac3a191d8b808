#include "reflector/list_page.h"

#include <simdjson.h>

#include "apiserver/resource_version.h"
#include "base/json_padding.h"

namespace kem {
namespace {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

using simdjson::error_code;
using simdjson::SUCCESS;
namespace ondemand = simdjson::ondemand;

Error Malformed(std::string_view why) {
  return {ErrorCode::kMalformed, "not a list: " + std::string(why)};
}

Error Malformed(error_code why) {
  return Malformed(simdjson::error_message(why));
}

// A string that Go may omit or write as null.
error_code ReadString(ondemand::value value, std::string_view& text) {
  ondemand::json_type type{};
  if (const error_code e = value.type().get(type)) return e;
  if (type == ondemand::json_type::null) return SUCCESS;
  return value.get_string().get(text);
}

error_code ReadMetadata(ondemand::value value, ListPage& page) {
  ondemand::object metadata;
  if (const error_code e = value.get_object().get(metadata)) return e;
  for (auto member : metadata) {
    ondemand::field field;
    if (const error_code e = std::move(member).get(field)) return e;
    std::string_view key;
    if (const error_code e = field.unescaped_key().get(key)) return e;
    std::string_view text;
    if (key == "resourceVersion") {
      if (const error_code e = ReadString(field.value(), text)) return e;
      page.resource_version = ParseResourceVersion(text).value_or(0);
    } else if (key == "continue") {
      if (const error_code e = ReadString(field.value(), text)) return e;
      page.continue_token = text;
    }
  }
  return SUCCESS;
}

error_code ReadItems(ondemand::value value, ListPage& page) {
  ondemand::json_type type{};
  if (const error_code e = value.type().get(type)) return e;
  if (type == ondemand::json_type::null) return SUCCESS;  // Go's nil slice
  ondemand::array items;
  if (const error_code e = value.get_array().get(items)) return e;
  for (auto element : items) {
    ondemand::object item;
    if (const error_code e = element.get_object().get(item)) return e;
    std::string_view raw;
    if (const error_code e = item.raw_json().get(raw)) return e;
    page.items.push_back(raw);
  }
  return SUCCESS;
}

}  // namespace

Result<void> ParseListPage(ListPage& page) {
  page.resource_version = 0;
  page.continue_token.clear();
  page.items.clear();
  page.body.reserve(page.body.size() + kJsonPadding);

  ondemand::parser parser;
  ondemand::document document;
  const size_t size = page.body.size();
  if (const error_code e =
          parser.iterate(page.body.data(), size, size + kJsonPadding)
              .get(document)) {
    return Malformed(e);
  }
  ondemand::object root;
  if (const error_code e = document.get_object().get(root)) return Malformed(e);
  bool has_metadata = false;
  bool has_items = false;
  for (auto member : root) {
    ondemand::field field;
    if (const error_code e = std::move(member).get(field)) return Malformed(e);
    std::string_view key;
    if (const error_code e = field.unescaped_key().get(key))
      return Malformed(e);
    error_code e = SUCCESS;
    if (key == "metadata") {
      e = ReadMetadata(field.value(), page);
      has_metadata = true;
    } else if (key == "items") {
      e = ReadItems(field.value(), page);
      has_items = true;
    }
    if (e) return Malformed(e);
  }
  if (!has_metadata || !has_items) return Malformed("no metadata or no items");
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Malformed("bytes after its end");
  }
  return {};
}

}  // namespace kem
