// kube-event-metrics: flags, access and signals; the rest is in app.h.
// Exit codes: 0 after a signal, 1 after a failure at run time, 2 for wrong
// flags or an unusable kubeconfig, web configuration or, with --dry-run, state.

#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

#include "apiserver/api_transport.h"
#include "apiserver/server_access.h"
#include "app.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/safe_text.h"
#include "base/termination.h"
#include "config/flags.h"
#include "dry_run.h"
#include "net/resolver.h"
#include "offline/offline.h"
#include "state/state_load.h"
#include "web/web_settings.h"

namespace {

// Reports an unusable file or flag; returns the exit code.
int Refuse(const kem::Error& error) {
  std::fprintf(stderr, "kube-event-metrics: %s\n",
               kem::OneLine(error.message).c_str());
  return 2;
}

int Offline(const kem::Options& options,
            const kem::TerminationSignals& signals) {
  if (!options.dry_run) return kem::RunOffline(options, signals);
  const auto checked = kem::CheckOffline(options);
  if (!checked) return Refuse(checked.error());
  std::puts("# kube-event-metrics --dry-run: flags and files are valid");
  return 0;
}

int Run(int argc, const char* const* argv) {
  // OpenSSL writes to connections that the peer has closed.
  std::signal(SIGPIPE, SIG_IGN);
  // One heap for all threads: they allocate little, and each heap costs memory.
  ::mallopt(M_ARENA_MAX, 1);
  const kem::TerminationSignals signals;

  const auto parse = [argc, argv] {
    return kem::ParseFlags(argc, argv, kem::DiskFiles());
  };
  const std::variant<kem::Options, kem::Exit> parsed = parse();
  if (const auto* exit = std::get_if<kem::Exit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  const kem::Options& options = *std::get_if<kem::Options>(&parsed);
  kem::InitLog(options.log_level, options.log_format);

  if (options.once && options.events_from.empty()) {
    std::fputs("kube-event-metrics: --once needs --events.from\n", stderr);
    return 2;
  }
  if (!options.web_config_file.empty()) {
    const auto opened = kem::WebSettingsFile::Open(options.web_config_file);
    if (!opened) return Refuse(opened.error());
  }
  if (options.dry_run && !options.state_file.empty()) {
    kem::DiskFileSystem files;
    const auto checked = kem::CheckStateFile(files, options.state_file);
    if (!checked) return Refuse(checked.error());
  }
  if (options.dry_run || options.once) signals.Unblock();
  if (!options.events_from.empty()) return Offline(options, signals);

  kem::Result<kem::ServerAccess> access = kem::ResolveAccess(
      {options.kubeconfig, options.context, options.apiserver},
      kem::ProcessEnvironment());
  if (!access) return Refuse(access.error());
  if (options.dry_run) {
    kem::Resolver resolver;
    kem::ApiTransport transport(*access, resolver);
    const kem::DryRunReport report = kem::DryRun(options, *access, transport);
    std::fputs(report.text.c_str(), stdout);
    return report.code;
  }
  return kem::RunApp(options, std::move(*access), signals, parse);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kube-event-metrics: internal error: %s\n",
                 kem::OneLine(error.what()).c_str());
    return 1;
  }
}
