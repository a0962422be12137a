#include "server/cli/man_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "server/cli/build_stamp.hpp"

namespace muxlab {
namespace {

/// A hyphen would not be found by who looks for an option, and quotes would not be typed.
std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text) {
    switch (c) {
      case '\\':
        all += "\\e";
        break;
      case '-':
        all += "\\-";
        break;
      case '\'':
        all += "\\(aq";
        break;
      case '`':
        all += "\\(ga";
        break;
      case '~':
        all += "\\(ti";
        break;
      case '^':
        all += "\\(ha";
        break;
      default:
        all += c;
    }
  }
  return all.starts_with('.') ? "\\&" + all : all;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string paragraph(const std::string& text) { return escaped(text) + '\n'; }
std::string sentence(const std::string& text) {
  return text.empty() ? "" : paragraph(text.ends_with('.') ? text : text + '.');
}
std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string tagged(const std::string& tag, const std::string& body) {
  return fmt::format(".TP\n{}\n{}", tag, body);
}

std::string entries(const char* heading, const std::vector<cli::Entry>& all) {
  if (all.empty()) return "";
  std::string text = fmt::format(".SH {}\n", heading);
  for (const cli::Entry& entry : all) {
    text += tagged(bold(entry.name), sentence(capital(entry.meaning)));
  }
  return text;
}

std::string lines_as_they_are(const std::string& text) {
  if (text.empty()) return "";
  std::string all = ".PP\n.nf\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all += paragraph(line);
  return all + ".fi\n";
}

/// A word to be typed as it stands has no type.
std::string word_of(const OptionDescription& option) {
  return option.type.empty() ? bold(option.name) : italic(option.name);
}

std::string tag_of(const OptionDescription& option) {
  if (option.positional) return word_of(option);
  const std::string name = option.short_name.empty()
                               ? bold(option.name)
                               : bold(option.short_name) + ", " + bold(option.name);
  return option.type.empty() ? name : name + ' ' + italic(option.type);
}

/// Names that the help text has are not told again.
std::string names_of(const OptionDescription& option) {
  const auto is_told = [&option](const std::string& name) {
    return name == option.name || option.help.find(name) != std::string::npos;
  };
  if (std::ranges::all_of(option.names, is_told)) return "";
  return paragraph(fmt::format("Known are {}.", fmt::join(option.names, ", ")));
}

std::string option_text(const OptionDescription& option) {
  std::string body = sentence(option.help) + names_of(option);
  if (!option.shown_default.empty() && !option.required)
    body += sentence("The default is " + option.shown_default);
  if (option.required) body += "Required.\n";
  if (!option.excludes.empty()) {
    body += sentence(fmt::format("Not with {}", fmt::join(option.excludes, ", ")));
  }
  return tagged(tag_of(option), body);
}

std::string options_text(const VerbDescription& verb) {
  std::string text = ".SH OPTIONS\n";
  for (const OptionDescription& option : verb.options) text += option_text(option);
  return text;
}

/// What has to be there, and a word for all that may.
std::string synopsis(const VerbDescription& verb) {
  std::string text = ".SH SYNOPSIS\n" + bold("muxlab " + verb.name);
  for (const OptionDescription& option : verb.options) {
    if (!option.positional && option.required) text += ' ' + tag_of(option);
  }
  text += " [" + italic("OPTION") + "]...";
  for (const OptionDescription& option : verb.options) {
    if (!option.positional) continue;
    const std::string word = word_of(option);
    text +=
        option.required ? ' ' + word : fmt::format(" [{}]{}", word, option.repeated ? "..." : "");
  }
  return text + '\n';
}

std::string see_also(const std::vector<std::string>& pages) {
  std::string text = ".SH \"SEE ALSO\"\n";
  for (const std::string& page : pages) {
    const std::size_t section = page.find('(');
    text += fmt::format(".BR {} {}{}\n", escaped(page.substr(0, section)), page.substr(section),
                        page == pages.back() ? "" : ",");
  }
  return text;
}

std::string title(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return fmt::format(".TH {} 1 {} \"muxlab {}\" \"User Commands\"\n", escaped(name),
                     build_stamp.date, build_stamp.version);
}

std::string name_section(const std::string& name, const std::string& help) {
  return fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(help));
}

std::string end_of(const VerbDescription& verb, const std::vector<std::string>& pages) {
  return entries("\"EXIT STATUS\"", cli::exit_codes()) +
         entries("ENVIRONMENT", verb.manual.environment) + entries("FILES", verb.manual.files) +
         entries("EXAMPLES", verb.manual.examples) + see_also(pages);
}

std::string page_name(const VerbDescription& verb) { return "muxlab-" + verb.name; }

std::string verb_page(const VerbDescription& verb, const ProgramDescription& program) {
  std::vector<std::string> pages = {"muxlab(1)"};
  for (const VerbDescription& other : program.verbs) {
    if (other.name != verb.name) pages.push_back(page_name(other) + "(1)");
  }
  return title(page_name(verb)) + name_section(page_name(verb), verb.help) + synopsis(verb) +
         ".SH DESCRIPTION\n" + sentence(verb.help) + paragraph(verb.manual.description) +
         lines_as_they_are(verb.manual.details) + options_text(verb) + end_of(verb, pages);
}

std::string program_page(const ProgramDescription& all) {
  std::vector<cli::Entry> verbs;
  std::vector<std::string> pages;
  for (const VerbDescription& verb : all.verbs) {
    verbs.push_back({verb.name, verb.help});
    pages.push_back(page_name(verb) + "(1)");
  }
  for (const char* const page : {"poll(2)", "select(2)", "epoll(7)", "io_uring(7)", "socket(7)"}) {
    pages.emplace_back(page);
  }
  const VerbDescription& program = all.program;
  return title("muxlab") + name_section("muxlab", program.help) + ".SH SYNOPSIS\n" +
         bold("muxlab") + ' ' + italic("VERB") + " [" + italic("OPTION") + "]...\n" +
         ".SH DESCRIPTION\n" + paragraph(program.manual.description) + entries("VERBS", verbs) +
         options_text(program) + end_of(program, pages);
}

}  // namespace

std::vector<ManPage> man_pages(const ProgramDescription& program) {
  std::vector<ManPage> pages = {{"muxlab.1", program_page(program)}};
  for (const VerbDescription& verb : program.verbs) {
    pages.push_back({page_name(verb) + ".1", verb_page(verb, program)});
  }
  return pages;
}

}  // namespace muxlab
