#include "bench/micro/micro.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "backends/parts/descriptor_limit.hpp"
#include "server/inspect/machine.hpp"

namespace {

/// Adds the machine's data to the JSON; Google Benchmark itself adds the rest of the context.
void add_context() {
  const auto card = muxlab::machine_card();
  for (const char* key : {"kernel_release", "cpu_model", "compiler"}) {
    const auto& value = card.at(key);
    benchmark::AddCustomContext(key, value.is_string() ? value.get<std::string>() : "unknown");
  }
  benchmark::AddCustomContext("build_type", card.at("build").at("type").dump());
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  muxlab::raise_descriptor_limit();
  add_context();
  muxlab::register_mechanism_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "muxlab_micro: {}\n", error.what());
    return 1;
  }
}
