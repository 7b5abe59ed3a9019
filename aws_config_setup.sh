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

# Another shell, such as dash, reads these lines before it reaches syntax that it does not support.
if [ -z "${BASH_VERSION-}" ]; then
  echo "Error: this script needs bash. Run it with bash: bash $0" >&2
  exit 1
fi
# macOS's sh is a bash in POSIX mode.
set +o posix

# Each command that can fail has its own check, so 'set -e' is not used.
set -u
# With CDPATH set, cd can print a directory or change to a different one. RUSTUP_TOOLCHAIN would select a toolchain.
unset CDPATH RUSTUP_TOOLCHAIN

sign_of_life=10        # seconds between two messages during the build

project_dir=''
binary=''              # the program, as cargo names it after the build
rust_version=''        # the oldest supported Rust version, from Cargo.toml
toolchain=''           # the selected toolchain, as rustup names it
toolchain_version=''
cargo=''               # the cargo and the rustc of the selected toolchain
rustc=''
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
}

# in_project COMMAND...: replaces the subshell by this command in the project directory.
in_project() {
  cd -- "$project_dir" && exec ${1+"$@"}
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

# Sets toolchain, toolchain_version, cargo and rustc to the latest installed release that is new enough, or to ''.
find_toolchain() {
  local listing name rest text version its_cargo its_rustc
  toolchain=''
  toolchain_version=''
  listing=$(in_project rustup toolchain list) || fail "'rustup toolchain list' failed." \
    "See its message above; 'rustup show' prints more details."
  # Each line is a name, optionally followed by '(active, default)'.
  while read -r name rest; do
    [ "$name $rest" = "no installed toolchains" ] && continue
    # rustup's own names have no other characters, and a toolchain file would need to escape them.
    case $name in
      '' | *[!A-Za-z0-9._+-]*) continue ;;
    esac
    # rustup knows the paths. A cargo or rustc on PATH can belong to something else: Homebrew's rustup adds none.
    # A toolchain without cargo, or whose rustc does not run, is skipped; this is not an error.
    its_cargo=$(in_project rustup which --toolchain "$name" cargo </dev/null 2>/dev/null) || continue
    its_rustc=$(in_project rustup which --toolchain "$name" rustc </dev/null 2>/dev/null) || continue
    text=$(in_project "$its_rustc" --version </dev/null 2>/dev/null) || continue
    version=$(version_in "$text")
    is_release "$version" || continue
    version_at_least "$version" "$rust_version" || continue
    # Of two toolchains with the same version, the first one is used.
    if [ -z "$toolchain" ] || ! version_at_least "$toolchain_version" "$version"; then
      toolchain=$name
      toolchain_version=$version
      cargo=$its_cargo
      rustc=$its_rustc
    fi
  done <<EOF
$listing
EOF
}

install_toolchain() {
  echo "  no installed toolchain is a release of Rust $rust_version or later; installing stable"
  # The user sees rustup's progress, so its output is not captured.
  (in_project rustup toolchain install stable --profile minimal --no-self-update) ||
    fail "rustup could not install the stable toolchain." \
      "See its message above. Check the network connection, the proxy settings" \
      "and the free disk space, then run this script again."
  find_toolchain
  [ -n "$toolchain" ] || fail "After the installation there is still no Rust $rust_version or later." \
    "The update of stable failed, or the server provided an old version. Run 'rustup update stable'," \
    "check the output of 'rustup toolchain list', then run this script again."
}

# Sets channel to the toolchain that the toolchain file names if this script wrote the file; otherwise fails.
read_channel() {
  local content start='# Written by aws_config_setup.sh.
[toolchain]
channel = "'
  content=$(cat "$1" 2>/dev/null) || return 1
  channel=${content#"$start"}
  [ "$channel" != "$content" ] || return 1
  channel=${channel%\"}
  case $channel in
    '' | *[!A-Za-z0-9._+-]*) return 1 ;;
  esac
}

# Makes the toolchain active in the project directory, unless the user has a toolchain file there. The name includes the
# host, as rustup lists it: it is valid in a toolchain file and unambiguous if toolchains of two hosts are installed.
activate_toolchain() {
  local file channel=''
  for file in "$project_dir/rust-toolchain" "$project_dir/rust-toolchain.toml"; do
    # mv would move the new file into that directory.
    [ ! -d "$file" ] || fail "Cannot use $file: it is a directory." "Remove or rename it, then run this script again."
    [ -e "$file" ] || [ -L "$file" ] || continue
    if ! read_channel "$file"; then
      echo "  kept: $file, which this script did not write; this build does not use it"
      return
    fi
    [ "$channel" != "$toolchain" ] || return 0
  done
  temp_file=$file.$$
  # Written to a temporary file and renamed, so that an interrupted run leaves no incomplete file.
  if ! printf '%s\n' '# Written by aws_config_setup.sh.' '[toolchain]' "channel = \"$toolchain\"" >"$temp_file" ||
    ! mv -f "$temp_file" "$file"; then
    fail "Cannot write $file." \
      "Check that you can write to $project_dir and that the disk is not full, then run this script again."
  fi
  temp_file=''
  echo "  written: $file${channel:+ (before: $channel)}"
}

# Verifies that the rustc and the cargo of the build run, and that rustc is the selected one.
verify_toolchain() {
  local text cargo_text
  text=$(in_project "$rustc" --version) || text=''
  cargo_text=$(in_project "$cargo" --version) || cargo_text=''
  if [ "$(version_in "$text")" != "$toolchain_version" ] || [ -z "$cargo_text" ]; then
    fail "Rust $toolchain_version was set up, but it does not run." \
      "$rustc: ${text:-does not run}" \
      "$cargo: ${cargo_text:-does not run}" \
      "Install the toolchain again: 'rustup toolchain uninstall $toolchain', then run this script again."
  fi
  echo "  active for this build: $text, $cargo_text"
}

set_up_rust() {
  read_rust_version
  echo "Setting up Rust environment (Rust $rust_version or later)..."
  find_toolchain
  if [ -z "$toolchain" ]; then
    install_toolchain
  fi
  echo "  using toolchain: $toolchain (Rust $toolchain_version)"
  activate_toolchain
  verify_toolchain
}

# is_first_build: succeeds if an earlier run of this script left no program.
is_first_build() {
  local program
  for program in "$project_dir"/target/*/release/aws-config-resource-count; do
    [ ! -e "$program" ] || return 1
  done
}

# Replaces the subshell by the build, which prints cargo's messages as JSON, one per line. Errors go to stderr as text.
#
# The user's cargo configuration files and variables still select a registry, a proxy or a linker, but not the compiler,
# the target, or where the program is written: arguments and these variables have precedence. With panic = "abort" the
# program could not report an error in one region and continue.
build() {
  export RUSTUP_TOOLCHAIN=$toolchain RUSTC=$rustc RUSTC_WRAPPER='' RUSTC_WORKSPACE_WRAPPER=''
  in_project "$cargo" build --release --locked --quiet --message-format=json-render-diagnostics \
    --target host-tuple --target-dir "$project_dir/target" --config 'profile.release.panic="unwind"'
}

# Reads cargo's messages, prints the one that names the program, and shows on stderr that the build continues: in a new
# line each time, or on a terminal always in the same line.
follow_build() {
  local line message='' crates=0 now=$SECONDS start=$SECONDS shown=$SECONDS end=$'\n'
  if [ -t 2 ]; then
    # Not 1: a clock that runs slow would make a time-out of one second look like the end of the input.
    sign_of_life=2
    end=$'\r'
  fi
  while :; do
    if read -r -t "$sign_of_life" line; then
      case $line in
        *'"executable":"'*) message=$line ;;
      esac
      case $line in
        *'"reason":"compiler-artifact"'*) crates=$((crates + 1)) ;;
      esac
    elif [ $((SECONDS - now)) -lt $(((sign_of_life + 1) / 2)) ]; then
      # The exit code of Bash 3.2's read is the same for the end of the input as for a time-out.
      break
    fi
    now=$SECONDS
    if [ $((now - shown)) -ge "$sign_of_life" ]; then
      printf '  still building after %s seconds (crates compiled: %s)%s' $((now - start)) "$crates" "$end" >&2
      shown=$now
    fi
  done
  if [ -t 2 ] && [ "$shown" -ne "$start" ]; then
    echo >&2
  fi
  printf '%s\n' "$message"
}

install_packages() {
  local message
  echo "Installing required packages..."
  if is_first_build; then
    echo "  the first build takes 2 to 5 minutes"
  fi
  # With traps of its own, the subshell waits for cargo after a signal, too.
  message=$(trap : INT TERM && set -o pipefail && build | follow_build) ||
    fail "The build failed ('$cargo build --release --locked' in $project_dir)." \
      "See the messages above. Common causes:" \
      "- no network: the first build downloads the packages" \
      "- no C compiler or linker: on macOS, 'xcode-select --install' installs them" \
      "- Cargo.lock is missing or changed: restore it, for example with 'git checkout Cargo.lock'" \
      "- a full disk"
  # The path is a JSON string; in a path, only quotation marks and backslashes are likely to be escaped.
  binary=$(printf '%s\n' "$message" | sed -nE 's/.*"executable":"(([^"\\]|\\.)*)".*/\1/p' | sed 's/\\\(["\\]\)/\1/g')
  [ -n "$binary" ] || fail "The build succeeded, but cargo named no program." \
    "Restore the project's Cargo.toml, then run this script again."
  [ -x "$binary" ] || fail "The build succeeded, but there is no program at $binary." \
    "Check that nothing else removes files there, then run this script again."
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
