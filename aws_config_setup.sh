#!/usr/bin/env bash
#
# Sets up Rust for this folder, builds the AWS Config resource counter and runs it:
#
#   ./aws_config_setup.sh [arguments of the program]
#
# rustup (https://rustup.rs) is the one thing a person installs beforehand.
# Exit code: the program's; 1 when a step before it failed; 130 after Ctrl-C.
#
# Bash 3.2 only, which is what macOS brings.

# Every command that can fail is checked where it stands, so there is no 'set -e'.
set -u
# With CDPATH set, cd may print a folder, or go to another one.
unset CDPATH

project_dir=''
binary=''
rust_version=''        # the oldest Rust that will do, from Cargo.toml
toolchain=''           # the chosen toolchain, as rustup names it
toolchain_version=''
temp_file=''           # removed on every exit
signal=''              # a signal that came while the program ran

# fail MESSAGE [HINT...]: says what went wrong and what to do, and ends the script.
fail() {
  printf 'Error: %s\n' "$1" >&2
  shift
  local hint
  for hint in ${1+"$@"}; do
    printf '  %s\n' "$hint" >&2
  done
  exit 1
}

# stop MESSAGE STATUS: ends the script after a signal.
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

# The folder of this file, also when it is called through a symlink. (macOS has no 'readlink -f' before 12.3.)
locate_project() {
  local file=${BASH_SOURCE[0]} folder
  while [ -L "$file" ]; do
    folder=$(cd -- "$(dirname -- "$file")" && pwd -P) || fail "Cannot enter the folder of $file."
    file=$(readlink "$file") || fail "Cannot read a symlink in $folder."
    case $file in
      /*) ;;
      *) file=$folder/$file ;;
    esac
  done
  project_dir=$(cd -- "$(dirname -- "$file")" && pwd -P) || fail "Cannot enter the folder of $file."
  binary=$project_dir/target/release/aws-config-resource-count
}

check_rustup() {
  local path
  echo "Checking rustup installation..."
  path=$(command -v rustup) || fail "rustup was not found on PATH." \
    "Install it from https://rustup.rs, open a new terminal, and run this script again."
  echo "  rustup found: $path"
}

# The line 'rust-version = "..."' of Cargo.toml's [package] section.
read_rust_version() {
  local manifest=$project_dir/Cargo.toml
  [ -r "$manifest" ] || fail "Cannot read $manifest." \
    "This script belongs beside the project's Cargo.toml; run it from a complete copy of the project."
  rust_version=$(awk '
    /^[ \t]*\[/ { in_package = /^[ \t]*\[package\]/ }
    in_package && /^[ \t]*rust-version[ \t]*=/ { split($0, part, /["\047]/); print part[2]; exit }
  ' "$manifest")
  is_release "$rust_version" || fail "No usable rust-version in the [package] section of $manifest." \
    "Restore the line, as in: rust-version = \"1.94.1\""
}

# is_release VERSION: numbers and dots only. '1.97.0-nightly' is a prerelease, the empty text no version.
is_release() {
  case $1 in
    '' | *[!0-9.]* | .* | *. | *..*) return 1 ;;
  esac
}

# version_at_least A B: whether A >= B, number by number, so that 1.100.0 is later than 1.95.0.
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

# version_in TEXT: the second word of what 'rustc --version' printed.
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

# Sets toolchain and toolchain_version to the latest installed release that is new enough, or to nothing.
find_toolchain() {
  local listing name rest text version
  toolchain=''
  toolchain_version=''
  listing=$(cd -- "$project_dir" && rustup toolchain list) || fail "'rustup toolchain list' failed." \
    "Its own message stands above; 'rustup show' may tell more."
  # A line is a name, and perhaps '(active, default)' after it.
  while read -r name rest; do
    [ "$name $rest" = "no installed toolchains" ] && continue
    # No name of rustup's own has other characters; a toolchain file could not hold them as they are.
    case $name in
      '' | *[!A-Za-z0-9._+-]*) continue ;;
    esac
    # A toolchain that cannot say its version is broken: not an error, but not one to take.
    text=$(cd -- "$project_dir" && rustup run "$name" rustc --version </dev/null 2>/dev/null) || continue
    version=$(version_in "$text")
    is_release "$version" || continue
    version_at_least "$version" "$rust_version" || continue
    # Of two with the same version the first one listed stays.
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
  # Its progress is for the user to see, so nothing is caught here.
  (cd -- "$project_dir" && exec rustup toolchain install stable --profile minimal --no-self-update) ||
    fail "rustup could not install the stable toolchain." \
      "Its own message stands above. Check the network connection (and a proxy's settings)" \
      "and the free disk space, then run this script again."
  find_toolchain
  [ -n "$toolchain" ] || fail "After the installation there is still no Rust $rust_version or later." \
    "The update of stable failed, or the network gave an old one. Try 'rustup update stable'," \
    "look at 'rustup toolchain list', then run this script again."
}

# Makes the toolchain the active one in this folder. The name is taken as rustup lists it, with the host in it: in a
# toolchain file rustup takes that for an installed toolchain, and it is exact where toolchains of two hosts are there.
activate_toolchain() {
  local file=$project_dir/rust-toolchain.toml
  # mv would put the new file into such a folder.
  [ ! -d "$file" ] || fail "Cannot write $file: it is a folder." "Remove or rename it, then run this script again."
  temp_file=$file.$$
  # Written whole, then renamed: an interrupted run leaves no half file.
  if ! printf '%s\n' '# Written by aws_config_setup.sh.' '[toolchain]' "channel = \"$toolchain\"" >"$temp_file" ||
    ! mv -f "$temp_file" "$file"; then
    fail "Cannot write $file." \
      "Check that you may write in $project_dir and that the disk is not full, then run this script again."
  fi
  temp_file=''
}

# The rustc that a build in this folder would run has to be the chosen one.
verify_toolchain() {
  local text version
  text=$(cd -- "$project_dir" && rustc --version) || text=''
  version=$(version_in "$text")
  if [ "$version" != "$toolchain_version" ]; then
    fail "Rust $toolchain_version was set up, but the active rustc is ${text:-missing or does not run}." \
      "rustc on PATH: $(command -v rustc || echo none); RUSTUP_TOOLCHAIN: ${RUSTUP_TOOLCHAIN:-not set}" \
      "Unset RUSTUP_TOOLCHAIN if it is set; put rustup's folder (normally ~/.cargo/bin) first on PATH;" \
      "'rustup show active-toolchain' in $project_dir names an override, if one is in the way" \
      "('rustup override unset' or removing a file named rust-toolchain ends it)."
  fi
  echo "  active in this folder: $text"
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
    "Put rustup's folder (normally ~/.cargo/bin) first on PATH, then run this script again."
  # These two say where cargo puts the program; the user's own settings must not move it.
  (
    cd -- "$project_dir" || exit 1
    unset CARGO_BUILD_TARGET
    CARGO_TARGET_DIR=$project_dir/target
    export CARGO_TARGET_DIR
    exec cargo build --release --locked --quiet
  ) || fail "The build failed ('cargo build --release --locked' in $project_dir)." \
    "The messages above say why. Often it is one of these:" \
    "- no network: the packages are downloaded on the first build" \
    "- no C compiler or linker: on macOS, 'xcode-select --install' installs them" \
    "- Cargo.lock missing or changed: restore it, as with 'git checkout Cargo.lock'" \
    "- a full disk"
  if [ ! -x "$binary" ]; then
    fail "The build succeeded, but there is no program at $binary." \
      "A 'target' setting of [build] in a cargo configuration file (~/.cargo/config.toml, or .cargo/config.toml" \
      "in this folder or one above it) puts it elsewhere; take it out, then run this script again."
  fi
  echo "  built: $binary"
}

# Runs in the folder the user called from, so that relative paths mean what they say and the output lands there.
run_counter() {
  local status
  echo "Running AWS Config resource counter..."
  # Ctrl-C goes to the program too, which ends in its own way. Bash runs a trap once the program has ended, so a
  # SIGTERM sent to this script alone leaves no program running behind it: the script waits for it.
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
    # The program may not have had the signal, and have ended well.
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
# The last command: its status is the script's.
run_counter ${1+"$@"}
