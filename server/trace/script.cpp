#include "server/trace/script.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <sstream>

#include "backends/parts/failure.hpp"
#include "server/cli/cli.hpp"

namespace muxlab::trace {

namespace {

struct Form {
  std::string_view word;
  Action action;
  bool has_client;
  bool has_bytes;
  std::string_view example;
  std::string_view help;
};

constexpr std::array kForms = {
    Form{"connect", Action::connect, true, false, "connect a",
         "opens a connection, of a client that is called a"},
    Form{"send", Action::send, true, true, "send a 64",
         "sends 64 bytes, as one message; 4k is 4096"},
    Form{"receive", Action::receive, true, true, "receive a 64", "receives 64 bytes of the echo"},
    Form{"end", Action::end, true, false, "end a",
         "half-closes the connection: the server receives an end of stream"},
    Form{"close", Action::close, true, false, "close a",
         "closes the connection: with a reset if it has something to receive"},
    Form{"reset", Action::reset, true, false, "reset a",
         "closes the connection with a reset: the next call of the server fails"},
    Form{"wait", Action::wait, false, false, "wait",
         "waits until the server is idle: until it sleeps in a call"},
};

const Form& form_of(Action action) { return *std::ranges::find(kForms, action, &Form::action); }

/// Parses line by line, and tracks the state of each client.
class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  void take(const std::string& text) {
    ++line_;
    std::istringstream words(text.substr(0, text.find('#')));
    std::vector<std::string> found;
    for (std::string word; words >> word;) found.push_back(word);
    if (!found.empty()) steps_.push_back(checked(read(found)));
  }

  std::vector<Step> steps() {
    line_ = std::max<std::size_t>(line_, 1);
    if (steps_.empty()) fail("there is no step", "begin with connect a");
    return std::move(steps_);
  }

 private:
  struct Client {
    bool is_open = false;
    bool has_ended = false;
    std::size_t unreceived = 0;
  };

  [[noreturn]] void fail(const std::string& what, const std::string& right) const {
    throw Failure(ExitCode::usage, fmt::format("{}:{}: {}; {}", name_, line_, what, right));
  }

  Step read(const std::vector<std::string>& words) const {
    const auto form = std::ranges::find(kForms, words[0], &Form::word);
    if (form == kForms.end()) {
      std::string all;
      for (const Form& one : kForms) all += fmt::format(" {}", one.word);
      fail(fmt::format("there is no step \"{}\"", words[0]), "there are" + all);
    }
    const std::size_t wanted = 1 + (form->has_client ? 1 : 0) + (form->has_bytes ? 1 : 0);
    if (words.size() != wanted) {
      fail(fmt::format("\"{}\" has {} words", fmt::join(words, " "), words.size()),
           fmt::format("it is written as in \"{}\"", form->example));
    }
    Step step{.action = form->action, .client = "", .line = line_};
    if (form->has_client) step.client = client_name(words[1]);
    if (form->has_bytes) step.bytes = bytes(words[2]);
    return step;
  }

  [[nodiscard]] std::string client_name(const std::string& word) const {
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0; };
    if (!std::ranges::all_of(word, is_plain) || word.size() > kLongestName) {
      fail(fmt::format("\"{}\" is no name of a client", word),
           fmt::format("it has letters and digits, {} at most, as in a or client7", kLongestName));
    }
    if (std::ranges::count(kTaken, word) > 0) {
      fail(fmt::format("a descriptor of the server is called \"{}\"", word), "choose another name");
    }
    return word;
  }

  [[nodiscard]] std::size_t bytes(const std::string& word) const {
    std::uint64_t size = 0;
    try {
      size = cli::parse_size(word);
    } catch (const Failure& failure) {
      fail(failure.what(), "it is a number of bytes");
    }
    if (size == 0 || size > kMostUnreceived) {
      fail(fmt::format("{} bytes cannot be sent or received", size),
           fmt::format("from 1 to {} can", kMostUnreceived));
    }
    return size;
  }

  Step checked(Step step) {
    if (step.action == Action::wait) return step;
    Client& client = clients_[step.client];
    if (step.action == Action::connect) {
      if (client.is_open) fail(step.client + " is connected", "close it first, or name another");
      if (++connections_ > kMostConnections) {
        fail("too many connections", fmt::format("a script has {} at most", kMostConnections));
      }
      client = {.is_open = true};
      return step;
    }
    if (!client.is_open)
      fail(step.client + " is not connected", "connect " + step.client + " first");
    switch (step.action) {
      case Action::send:
        note_sent(client, step);
        break;
      case Action::receive:
        note_received(client, step);
        break;
      case Action::end:
        if (client.has_ended) fail(step.client + " has ended its side", "it can be closed");
        client.has_ended = true;
        break;
      default:
        client.is_open = false;
    }
    return step;
  }

  void note_sent(Client& client, const Step& step) const {
    if (client.has_ended) fail(step.client + " has ended its side", "send before that");
    client.unreceived += step.bytes;
    if (client.unreceived <= kMostUnreceived) return;
    fail(fmt::format("{} would have {} bytes to receive", step.client, client.unreceived),
         fmt::format("receive before there are more than {}", kMostUnreceived));
  }

  void note_received(Client& client, const Step& step) const {
    if (client.unreceived < step.bytes) {
      fail(fmt::format("{} has {} bytes to receive, not {}", step.client, client.unreceived,
                       step.bytes),
           "a client receives only bytes that it sent");
    }
    client.unreceived -= step.bytes;
  }

  static constexpr std::size_t kLongestName = 16;
  static constexpr std::array<std::string_view, 8> kTaken = {
      "listener", "stop", "epoll", "ring", "eventfd", "timerfd", "pipe", "socket"};
  static constexpr std::size_t kMostConnections = 100;

  std::string_view name_;
  std::size_t line_ = 0;
  std::size_t connections_ = 0;
  std::map<std::string, Client> clients_;
  std::vector<Step> steps_;
};

}  // namespace

std::string describe(const Step& step) {
  std::string text(form_of(step.action).word);
  if (!step.client.empty()) text += ' ' + step.client;
  if (step.bytes > 0) text += fmt::format(" {}", step.bytes);
  return text;
}

std::string script_help() {
  std::string text = "A script has one step on each line; a # begins a comment:\n";
  for (const Form& form : kForms) text += fmt::format("  {:<14} {}\n", form.example, form.help);
  text +=
      "The server does not run between two waits, so it finds the results of all steps at once.\n"
      "A receive waits first, and the script ends with a wait.\n"
      "Without --script the steps are:\n";
  std::istringstream lines{kDefaultScript};
  for (std::string line; std::getline(lines, line);) text += "  " + line + '\n';
  return text;
}

std::vector<Step> parse_script(std::string_view text, std::string_view name) {
  Parser parser(name);
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) parser.take(line);
  return parser.steps();
}

}  // namespace muxlab::trace
