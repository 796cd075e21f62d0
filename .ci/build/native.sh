#!/bin/sh
# Compiles the C files of a directory into one shared library under CLASSES/PACKAGE/<os>-<arch>/, if they are newer.
# Without a C compiler, or on another system, it says so in one line and succeeds: the journal works without.
#
#     native.sh SOURCE-DIRECTORY CLASSES PACKAGE NAME
set -eu
sources=$1
name=$4
set -- "$2/$3" "$sources"/*.c
[ -e "$2" ] || exit 0 # no C here

without() {
    echo "lib$name.so is left out of this build: $1"
    exit 0
}

[ "$(uname -s)" = Linux ] || without "it is for Linux, and this is $(uname -s)"
case $(uname -m) in
    x86_64 | amd64) platform=linux-x86_64 ;;
    aarch64 | arm64) platform=linux-aarch64 ;;
    *) without "it is for x86_64 and aarch64, and this is $(uname -m)" ;;
esac

out=$1/$platform
library=$out/lib$name.so
shift
if [ -e "$library" ] && [ -z "$(find "$sources" "$0" -newer "$library" \( -name '*.[ch]' -o -name native.sh \))" ]; then
    exit 0
fi

compiler=
for candidate in "${CC:-}" cc gcc clang; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
        compiler=$candidate
        break
    fi
done
[ -n "$compiler" ] || without "there is no C compiler (cc, gcc or clang)"

mkdir -p "$out"
"$compiler" -O3 -std=gnu11 -fPIC -shared -Wall -Wextra -Werror -fvisibility=hidden -o "$library.$$" "$@"
mv -f "$library.$$" "$library"
echo "compiled $platform/lib$name.so with $compiler"
