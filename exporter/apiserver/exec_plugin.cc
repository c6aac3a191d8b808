#include "apiserver/exec_plugin.h"

#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/environment.h"
#include "base/safe_text.h"
#include "base/utf8.h"

namespace kem {
namespace {

constexpr size_t kMaxShown = 300;
constexpr size_t kMaxLastLine = 150;
// Longer words are not shown, because they may be tokens.
constexpr size_t kMaxWord = 100;

std::string Words(std::string_view text) {
  const std::string line = OneLine(text);
  std::string words;
  for (std::string_view rest = line; !rest.empty();) {
    const std::string_view word = TakeUntil(rest, ' ');
    if (word.empty()) continue;
    if (!words.empty()) words += ' ';
    words += word.size() > kMaxWord ? "..." : word;
  }
  return words;
}

// The lines as one, shortened. Some plugins begin with the cause and go on with
// advice, others end with the cause, after a trace.
std::string Summary(std::string_view messages) {
  std::string all;
  std::string last;
  while (!messages.empty()) {
    std::string line = Words(Trim(TakeUntil(messages, '\n'), " \t\r"));
    if (line.empty()) continue;
    if (!all.empty()) all += "; ";
    all += line;
    last = std::move(line);
  }
  if (all.size() <= kMaxShown) return all;
  const std::string begin(CutUtf8(all, kMaxShown));
  if (all.size() == last.size()) return begin + " ...";
  return begin + " ... " + std::string(CutUtf8(last, kMaxLastLine));
}

}  // namespace

ExecPlugin::ExecPlugin(ExecConfig config, const Clock& clock, ProgramRunner run)
    : config_(std::move(config)), clock_(clock), run_(std::move(run)) {}

bool ExecPlugin::Usable(uint64_t refused) const {
  return issued_.credential != nullptr && issued_.number != refused &&
         (!issued_.credential->expires ||
          clock_.WallNow() <= *issued_.credential->expires);
}

Result<ExecPlugin::Issued> ExecPlugin::Get(uint64_t refused,
                                           std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const uint64_t before = runs_;
  while (true) {
    if (Usable(refused)) return issued_;
    // A run that ended while this call waited decides its result.
    if (runs_ != before && failure_) return *failure_;
    if (!running_) break;
    if (!ended_.wait(lock, stop, [this] { return !running_; })) {
      return Error{ErrorCode::kCancelled, "stopped"};
    }
  }
  running_ = true;
  lock.unlock();
  Result<ExecCredential> made = Run(std::move(stop));
  lock.lock();
  running_ = false;
  ++runs_;
  failure_.reset();
  if (made) {
    issued_ = {runs_, std::make_shared<const ExecCredential>(std::move(*made))};
  } else {
    failure_ = made.error();
  }
  ended_.notify_all();
  if (failure_) return *failure_;
  return issued_;
}

Result<ExecCredential> ExecPlugin::Run(std::stop_token stop) const {
  Program program;
  program.command = config_.command;
  program.args = config_.args;
  program.environment = ProcessEnvironmentWith(config_.env);
  const ProgramEnd end = run_(program, std::move(stop));
  if (end.how != ProgramEnd::How::kExited || end.code != 0) return Failure(end);
  Result<ExecCredential> credential =
      ParseExecCredential(end.output, config_.api_version);
  if (!credential) {
    return Error{ErrorCode::kUnavailable, "credential plugin " +
                                              config_.command + ": " +
                                              credential.error().message};
  }
  return credential;
}

Error ExecPlugin::Failure(const ProgramEnd& end) const {
  std::string problem;
  switch (end.how) {
    case ProgramEnd::How::kStopped:
      return Error{ErrorCode::kCancelled, "stopped"};
    case ProgramEnd::How::kNotStarted:
      problem = "failed to start (" + SystemMessage(end.code) + "); ";
      problem += config_.install_hint.empty()
                     ? "install it, or correct the kubeconfig's command"
                     : OneLine(CutUtf8(config_.install_hint, kMaxShown));
      break;
    case ProgramEnd::How::kExited:
      problem = "exited with code " + std::to_string(end.code);
      break;
    case ProgramEnd::How::kSignalled:
      problem = "was killed by signal " + std::to_string(end.code);
      break;
    case ProgramEnd::How::kTimeout:
      problem = "did not finish within 30 s and was killed";
      break;
    case ProgramEnd::How::kTooLarge:
      problem = "printed more than 1 MiB and was killed";
      break;
  }
  const std::string words = Summary(end.messages);
  if (!words.empty()) problem += ": " + words;
  return Error{ErrorCode::kUnavailable,
               "credential plugin " + config_.command + " " + problem};
}

}  // namespace kem
