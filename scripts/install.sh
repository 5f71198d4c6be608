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

# check PATH: fails unless PATH is what was asked for
check() {
  found=$(sha256sum <"$1" | cut -d ' ' -f 1)
  [ "$found" = "$wanted" ] ||
    fail "$file is not what it should be: its SHA-256 is $found, not $wanted; copy or download it again"
}

if [ $# -lt 1 ] || [ $# -gt 3 ]; then fail "usage: install.sh FILE [SHA256] [DIRECTORY]"; fi
case $1 in /*) file=$1 ;; *) file=./$1 ;; esac
case ${3:-/usr/local/bin} in /*) directory=${3:-/usr/local/bin} ;; *) directory=./$3 ;; esac
wanted=$(printf %s "${2:-}" | tr A-F a-f)
[ -f "$file" ] || fail "there is no file $1"

if [ -z "$wanted" ]; then
  sums=${file%/*}/SHA256SUMS
  [ -f "$sums" ] || fail "give the file's SHA-256, or put SHA256SUMS beside it"
  while read -r sum name; do
    [ "${name#\*}" != "${file##*/}" ] || wanted=$sum
  done <"$sums"
  [ -n "$wanted" ] || fail "$sums says nothing about ${file##*/}"
fi
check "$file"

# By a rename: a program that runs keeps its old file, and nobody starts half of one.
target=$directory/gossamer
[ ! -d "$target" ] || fail "$target is a folder"
mkdir -p "$directory"
fresh=$directory/.gossamer.$$
trap 'rm -f "$fresh"' EXIT
trap 'exit 1' HUP INT TERM
rm -f "$fresh"
cp "$file" "$fresh"
# The copy counts: the file may have changed since, and the disk may be full.
check "$fresh"
chmod 755 "$fresh"
mv -f "$fresh" "$target"
echo "$target installed"
