#!/usr/bin/env bash
#
# Counts in AWS CloudShell, with the permissions of your session. Downloads a release, compares its SHA-256 sum, and writes
# the results to ~/inventory and to ~/inventory.tar.gz for "Actions, Download file".
#
#   bash cloudshell.sh VERSION [OPTION...]       OPTION: options of aws-config-resource-count
set -euo pipefail

# A mirror of the releases can be named in the environment.
releases=${AWS_CONFIG_RESOURCE_COUNT_RELEASES:-https://github.com/OWNER/aws-config-resource-count/releases/download}
version=${1:?the version is missing, such as 0.2.0}
shift
stem=aws-config-resource-count-$version-$(uname -m)-unknown-linux-musl
sums=aws-config-resource-count-$version-SHA256SUMS

cd ~
if [ ! -x "$stem/aws-config-resource-count" ]; then
  for file in "$stem.tar.gz" "$sums"; do
    curl --fail --silent --show-error --location --retry 3 --output "$file" "$releases/v$version/$file"
  done
  grep -F "  $stem.tar.gz" "$sums" | sha256sum --check
  tar -xzf "$stem.tar.gz"
fi

status=0
"$stem/aws-config-resource-count" --coverage --output-dir "inventory/$(date -u +%Y-%m-%d)" "$@" || status=$?
tar -czf inventory.tar.gz inventory
echo "Download the results: $HOME/inventory.tar.gz"
exit "$status"
