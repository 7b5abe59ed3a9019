#!/usr/bin/env bash
#
# Sets up Rust for this directory, builds the AWS Config resource counter and runs it:
#
#   ./aws_config_setup.sh [arguments of the program]
#
# rustup (https://rustup.rs) must be installed; the script sets up everything else.
# Exit code: the program's; 1 if a step before it failed; 130 after Ctrl-C; 143 after SIGTERM.
#
# Uses only Bash 3.2 features, because macOS includes that version.

# Each command that can fail has its own check, so 'set -e' is not used.
set -u
# With CDPATH set, cd can print a directory or change to a different one.
unset CDPATH

project_dir=''
binary=''
rust_version=''        # the oldest supported Rust version, from Cargo.toml
toolchain=''           # the selected toolchain, as rustup names it
toolchain_version=''
temp_file=''           # removed on exit
signal=''              # the signal received while the program was running

# fail MESSAGE [HINT...]: prints an error and hints to stderr, and exits with 1.
fail() {
  printf 'Error: %s\n' "$1" >&2
  shift
  local hint
  for hint in ${1+"$@"}; do
    printf '  %s\n' "$hint" >&2
  done
  exit 1
}

# stop MESSAGE STATUS: exits after a signal.
stop() {
  trap '' INT TERM
  printf '\n%s\n' "$1" >&2
  exit "$2"
}

remove_temp_file() {
  if [ -n "$temp_file" ]; then
    rm -f "$temp_file"
  fi
}

# Sets project_dir to the directory of this file, with symlinks resolved. (macOS before 12.3 has no 'readlink -f'.)
locate_project() {
  local file=${BASH_SOURCE[0]} directory
  while [ -L "$file" ]; do
    directory=$(cd -- "$(dirname -- "$file")" && pwd -P) || fail "Cannot enter the directory of $file."
    file=$(readlink "$file") || fail "Cannot read a symlink in $directory."
    case $file in
      /*) ;;
      *) file=$directory/$file ;;
    esac
  done
  project_dir=$(cd -- "$(dirname -- "$file")" && pwd -P) || fail "Cannot enter the directory of $file."
  binary=$project_dir/target/release/aws-config-resource-count
}

check_rustup() {
  local path
  echo "Checking rustup installation..."
  path=$(command -v rustup) || fail "rustup was not found on PATH." \
    "Install it from https://rustup.rs, open a new terminal, and run this script again."
  echo "  rustup found: $path"
}

# Reads 'rust-version' from the [package] section of Cargo.toml.
read_rust_version() {
  local manifest=$project_dir/Cargo.toml
  [ -r "$manifest" ] || fail "Cannot read $manifest." \
    "The script must be in the same directory as the project's Cargo.toml; run it from a complete copy of the project."
  rust_version=$(awk '
    /^[ \t]*\[/ { in_package = /^[ \t]*\[package\]/ }
    in_package && /^[ \t]*rust-version[ \t]*=/ { split($0, part, /["\047]/); print part[2]; exit }
  ' "$manifest")
  is_release "$rust_version" || fail "No valid rust-version in the [package] section of $manifest." \
    "Restore the line, as in: rust-version = \"1.94.1\""
}

# is_release VERSION: succeeds for numbers and dots only; '1.97.0-nightly' and '' are not releases.
is_release() {
  case $1 in
    '' | *[!0-9.]* | .* | *. | *..*) return 1 ;;
  esac
}

# version_at_least A B: succeeds if A >= B, compared number by number: 1.100.0 is later than 1.95.0.
version_at_least() {
  local left=$1. right=$2. a b
  while [ -n "$left$right" ]; do
    a=${left%%.*}
    b=${right%%.*}
    [ "${a:-0}" -gt "${b:-0}" ] && return 0
    [ "${a:-0}" -lt "${b:-0}" ] && return 1
    left=${left#*.}
    right=${right#*.}
  done
}

# version_in TEXT: prints the version in the output of 'rustc --version', its second word.
version_in() {
  local first second rest
  read -r first second rest <<EOF
$1
EOF
  : "$rest"
  if [ "$first" = rustc ]; then
    printf '%s' "$second"
  fi
}

# Sets toolchain and toolchain_version to the latest installed release that is new enough, or to ''.
find_toolchain() {
  local listing name rest text version
  toolchain=''
  toolchain_version=''
  listing=$(cd -- "$project_dir" && rustup toolchain list) || fail "'rustup toolchain list' failed." \
    "See its message above; 'rustup show' prints more details."
  # Each line is a name, optionally followed by '(active, default)'.
  while read -r name rest; do
    [ "$name $rest" = "no installed toolchains" ] && continue
    # rustup's own names have no other characters, and a toolchain file would need to escape them.
    case $name in
      '' | *[!A-Za-z0-9._+-]*) continue ;;
    esac
    # A toolchain whose rustc does not run is broken. It is skipped; this is not an error.
    text=$(cd -- "$project_dir" && rustup run "$name" rustc --version </dev/null 2>/dev/null) || continue
    version=$(version_in "$text")
    is_release "$version" || continue
    version_at_least "$version" "$rust_version" || continue
    # Of two toolchains with the same version, the first one is used.
    if [ -z "$toolchain" ] || ! version_at_least "$toolchain_version" "$version"; then
      toolchain=$name
      toolchain_version=$version
    fi
  done <<EOF
$listing
EOF
}

install_toolchain() {
  echo "  no installed toolchain is a release of Rust $rust_version or later; installing stable"
  # The user sees rustup's progress, so its output is not captured.
  (cd -- "$project_dir" && exec rustup toolchain install stable --profile minimal --no-self-update) ||
    fail "rustup could not install the stable toolchain." \
      "See its message above. Check the network connection, the proxy settings" \
      "and the free disk space, then run this script again."
  find_toolchain
  [ -n "$toolchain" ] || fail "After the installation there is still no Rust $rust_version or later." \
    "The update of stable failed, or the server provided an old version. Run 'rustup update stable'," \
    "check the output of 'rustup toolchain list', then run this script again."
}

# Makes the toolchain active in the project directory. The name includes the host, as rustup lists it: it is valid in a
# toolchain file and unambiguous if toolchains of two hosts are installed.
activate_toolchain() {
  local file=$project_dir/rust-toolchain.toml
  # mv would move the new file into that directory.
  [ ! -d "$file" ] || fail "Cannot write $file: it is a directory." "Remove or rename it, then run this script again."
  temp_file=$file.$$
  # Written to a temporary file and renamed, so that an interrupted run leaves no incomplete file.
  if ! printf '%s\n' '# Written by aws_config_setup.sh.' '[toolchain]' "channel = \"$toolchain\"" >"$temp_file" ||
    ! mv -f "$temp_file" "$file"; then
    fail "Cannot write $file." \
      "Check that you can write to $project_dir and that the disk is not full, then run this script again."
  fi
  temp_file=''
}

# Verifies that a build in the project directory would use the selected toolchain.
verify_toolchain() {
  local text version
  text=$(cd -- "$project_dir" && rustc --version) || text=''
  version=$(version_in "$text")
  if [ "$version" != "$toolchain_version" ]; then
    fail "Rust $toolchain_version was set up, but the active rustc is ${text:-missing or does not run}." \
      "rustc on PATH: $(command -v rustc || echo "not found"); RUSTUP_TOOLCHAIN: ${RUSTUP_TOOLCHAIN:-not set}" \
      "Unset RUSTUP_TOOLCHAIN if it is set; put rustup's directory (normally ~/.cargo/bin) first on PATH;" \
      "'rustup show active-toolchain' in $project_dir shows an override, if there is one" \
      "(remove it with 'rustup override unset', or delete the file rust-toolchain)."
  fi
  echo "  active in this directory: $text"
}

set_up_rust() {
  read_rust_version
  echo "Setting up Rust $rust_version environment..."
  find_toolchain
  if [ -z "$toolchain" ]; then
    install_toolchain
  fi
  echo "  using toolchain: $toolchain (Rust $toolchain_version)"
  activate_toolchain
  verify_toolchain
}

install_packages() {
  echo "Installing required packages..."
  command -v cargo >/dev/null || fail "cargo was not found on PATH." \
    "Put rustup's directory (normally ~/.cargo/bin) first on PATH, then run this script again."
  # These two variables set where cargo puts the binary; the user's settings must not change it.
  (
    cd -- "$project_dir" || exit 1
    unset CARGO_BUILD_TARGET
    CARGO_TARGET_DIR=$project_dir/target
    export CARGO_TARGET_DIR
    exec cargo build --release --locked --quiet
  ) || fail "The build failed ('cargo build --release --locked' in $project_dir)." \
    "See the messages above. Common causes:" \
    "- no network: the first build downloads the packages" \
    "- no C compiler or linker: on macOS, 'xcode-select --install' installs them" \
    "- Cargo.lock is missing or changed: restore it, for example with 'git checkout Cargo.lock'" \
    "- a full disk"
  if [ ! -x "$binary" ]; then
    fail "The build succeeded, but there is no program at $binary." \
      "A 'target' setting of [build] in a cargo configuration file (~/.cargo/config.toml, or .cargo/config.toml" \
      "in this directory or a parent directory) puts it elsewhere; remove the setting, then run this script again."
  fi
  echo "  built: $binary"
}

# Runs the program in the caller's directory, so that relative paths are correct and the output is written there.
run_counter() {
  local status
  echo "Running AWS Config resource counter..."
  # The program receives Ctrl-C too and handles it. Bash runs a trap only after the program has ended, so if only the
  # script receives SIGTERM, it waits for the program and leaves no process behind.
  trap 'signal=INT' INT
  trap 'signal=TERM' TERM
  SECONDS=0
  "$binary" ${1+"$@"}
  status=$?
  echo ""
  echo "Total execution time: $SECONDS seconds"
  if [ "$signal" = INT ] && [ "$status" -eq 130 ]; then
    echo "Interrupted." >&2
  elif [ "$signal" = TERM ]; then
    echo "Terminated." >&2
    # If the program did not receive the signal, it may have succeeded.
    [ "$status" -ne 0 ] || status=143
  fi
  return "$status"
}

trap remove_temp_file EXIT
trap 'stop "Interrupted: the program was not run." 130' INT
trap 'stop "Terminated: the program was not run." 143' TERM

locate_project
check_rustup
set_up_rust
install_packages
# The last command: its exit code is the exit code of the script.
run_counter ${1+"$@"}
