#!/bin/sh
# Copies the built file to /usr/local/bin, if it is whole. That is all: no download, no start.
#
#   scripts/install.sh FILE [SHA256] [DIRECTORY]
#
# Without SHA256 the file SHA256SUMS beside FILE says it. gossamer install does more: settings and a service.
set -eu

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

if [ $# -lt 1 ] || [ $# -gt 3 ]; then fail "usage: install.sh FILE [SHA256] [DIRECTORY]"; fi
file=$1
wanted=${2:-}
directory=${3:-/usr/local/bin}
[ -f "$file" ] || fail "there is no file $file"

if [ -z "$wanted" ]; then
  sums=$(dirname -- "$file")/SHA256SUMS
  [ -f "$sums" ] || fail "give the file's SHA-256, or put SHA256SUMS beside it"
  name=$(basename -- "$file")
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\$/\1/p" "$sums")
  [ -n "$wanted" ] || fail "$sums says nothing about $name"
fi

found=$(sha256sum "$file" | cut -d ' ' -f 1)
[ "$found" = "$wanted" ] || fail "$file is not what it should be: its SHA-256 is $found, not $wanted"

# By a rename: a program that runs keeps its old file, and nobody starts half of one.
mkdir -p "$directory"
fresh=$directory/.gossamer.$$
trap 'rm -f "$fresh"' EXIT
cp "$file" "$fresh"
chmod 755 "$fresh"
mv -f "$fresh" "$directory/gossamer"
echo "$directory/gossamer installed"
