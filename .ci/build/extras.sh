#!/usr/bin/env bash
# Fetches what some tests need beyond Maven and a JDK, as far as it can be had here: the virtual machine of perf/dax/vm,
# and a cross compiler with emulators for aarch64. Bounded in time, never fails: what is missing is said in one line
# each, and the tests that need it are skipped.
#
#     extras.sh packages | machine
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 0
PATH=$PATH:/usr/sbin:/sbin
options=(-y -qq --no-install-recommends -o Acquire::Retries=0 -o Acquire::http::Timeout=10)

without() { echo "left out: $1"; }

packages() {
    local missing=() pair
    for pair in aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc:libc6-dev-arm64-cross \
        qemu-aarch64-static:qemu-user-static \
        qemu-system-aarch64:qemu-system-arm qemu-system-x86_64:qemu-system-x86 mkfs.ext4:e2fsprogs depmod:kmod cpio:cpio \
        busybox:busybox-static; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    ((${#missing[@]})) || return 0
    if ! command -v apt-get >/dev/null || ((EUID != 0)); then
        without "${missing[*]}: only root can install them, with apt-get"
        return 0
    fi
    export DEBIAN_FRONTEND=noninteractive
    timeout 40 apt-get install "${options[@]}" "${missing[@]}" >/dev/null 2>&1 ||
        { timeout 20 apt-get update -qq >/dev/null 2>&1; timeout 40 apt-get install "${options[@]}" "${missing[@]}" >/dev/null 2>&1; } ||
        without "${missing[*]}: apt-get could not install them"
}

machine() {
    timeout 120 perf/dax/vm build 2>&1 || without "tests on real DAX: perf/dax/vm build could not make the machine"
}

"${1:?packages or machine}"
