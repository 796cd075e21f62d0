# Sourced by the commands here that run perf/peers; sets jdk, lib. Needs root.
readonly release=25
lib=$root/perf/peers/target/lib

die() {
    echo "$(basename "$0"): $1" >&2
    exit 2
}

is_new_enough() {
    [[ -x $1/bin/java && -r $1/release ]] || return 1
    [[ $(<"$1/release") =~ JAVA_VERSION=\"?([0-9]+) ]] && ((BASH_REMATCH[1] >= release))
}

find_jdk() {
    local home java
    java=$(readlink -f "$(command -v java || true)")
    for home in "${JAVA_HOME:-}" "${JAVA25_HOME:-}" "${java%/bin/java}" /usr/lib/jvm/* /opt/* /usr/java/* ~/.jdks/* \
        ~/.sdkman/candidates/java/*; do
        if [[ -n $home ]] && is_new_enough "$home"; then
            jdk=$home
            return
        fi
    done
    die "needs a JDK $release or newer, and found none: install one, or set JAVA_HOME to it"
}

# build_peers REBUILD: if that is not empty, or something is newer than the build
build_peers() {
    if [[ -n $1 || ! -d $lib ||
        -n $(find "$root"/{journal,appender,tailer,tools/bench,perf/peers}/{src/main,pom.xml} "$root/pom.xml" -newer "$lib" -type f -print -quit) ]]; then
        command -v mvn >/dev/null || die "has to be built first, and there is no mvn on the PATH"
        echo "$(basename "$0"): building…" >&2
        log=$(cd "$root" && JAVA25_HOME=$jdk mvn -B -q -DskipTests -Dformat=skip package -pl perf/peers -am </dev/null 2>&1) || {
            printf '%s\n' "$log" >&2
            die "the build failed; its output is above"
        }
        touch "$lib"
    fi
}
