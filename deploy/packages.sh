# shellcheck shell=bash disable=SC2034
# The Debian packages that deploy/quickstart and tests/run need, and
# functions to install them. Sourced by both.

KEM_BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config python3 python3-yaml
  libcli11-dev libcrypt-dev libprotozero-dev libre2-dev libsimdjson-dev libspdlog-dev
  libsqlite3-dev libssl-dev libxxhash-dev libyaml-cpp-dev nlohmann-json3-dev
  prometheus-cpp-dev zlib1g-dev
)

KEM_TEST_PACKAGES=(
  libcpp-httplib-dev libgtest-dev libgmock-dev curl jq openssl iproute2 chromium python3-pip
  ccache clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev llvm-14 shellcheck
  dpkg-dev fiu-utils groff-base libseccomp2 lintian man-db mandoc systemd
)

# For the tests on real software: a second version of Prometheus, next to the
# one they build, the receiver of alerts, and proxies. Each is a service of the
# same name.
KEM_REAL_PACKAGES=(prometheus prometheus-alertmanager haproxy nginx)

# To build the image, and to run it.
KEM_IMAGE_PACKAGES=(buildah debootstrap debian-archive-keyring)
KEM_CONTAINER_PACKAGES=(crun qemu-user-static binutils)

# kem_as_root COMMAND...: runs it, with sudo if needed.
kem_as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# kem_missing PACKAGE...: prints those that are not installed.
kem_missing() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) \
      != installed ]]; then
      echo "$package"
    fi
  done
}

# kem_install PACKAGE...: installs those that are missing. Needs root only if
# some are. Fails with one sentence.
kem_install() {
  local missing log
  mapfile -t missing < <(kem_missing "$@")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    echo "Missing packages, which only root can install:" \
      "${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${missing[*]}"
  log=$(mktemp)
  if ! { kem_apt update && kem_apt install -y --no-install-recommends \
    "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "apt-get could not install ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}

kem_apt() {
  kem_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o DPkg::Lock::Timeout=300 "$@"
}
