#include "bench/report_html.hpp"

#include <fmt/format.h>

namespace muxlab::html {
namespace {

std::string opening(std::string_view name, Attributes attributes) {
  std::string tag = fmt::format("<{}", name);
  for (const auto& [key, value] : attributes) tag += fmt::format(" {}=\"{}\"", key, escape(value));
  return tag;
}

}  // namespace

Html verbatim(std::string markup) {
  Html html;
  html.markup_ = std::move(markup);
  return html;
}

Html text(std::string_view plain) { return verbatim(escape(plain)); }

Html element(std::string_view name, Attributes attributes, const Html& content) {
  return verbatim(fmt::format("{}>{}</{}>", opening(name, attributes), content.markup(), name));
}

Html element(std::string_view name, const Html& content) { return element(name, {}, content); }

Html element(std::string_view name, std::string_view plain) {
  return element(name, {}, text(plain));
}

Html void_element(std::string_view name, Attributes attributes) {
  return verbatim(opening(name, attributes) + "/>");
}

std::string escape(std::string_view plain) {
  std::string escaped;
  escaped.reserve(plain.size());
  for (const char c : plain) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const bool is_control = static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t';
        if (!is_control) escaped += c;
      }
    }
  }
  return escaped;
}

std::string data_uri(std::string_view media_type, std::string_view data) {
  // URLs give these a meaning, or escape() would make them longer than the three characters here.
  constexpr std::string_view kReserved = "%#\"'<>&";
  std::string uri = fmt::format("data:{},", media_type);
  for (const char c : data) {
    const bool is_plain = c >= ' ' && c <= '~' && kReserved.find(c) == std::string_view::npos;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

}  // namespace muxlab::html
