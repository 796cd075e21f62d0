/*
 * The persist kernel: what Java cannot say, and what it cannot say fast enough. Addresses are raw; the caller has
 * bounded them. "Persisted by fl_fence" means: by the next one of the same thread.
 *
 *   fl_copy(dst, src, n)       like memcpy, by non-temporal stores that bypass the caches. dst and n are multiples of
 *                              64. Persisted by fl_fence.
 *   fl_persist(dst, src, n)    fl_copy, then fl_fence.
 *   fl_write_back(p, n)        writes the cache lines of [p, p + n) back to memory; persisted by fl_fence.
 *   fl_flush(p, n)             fl_write_back, then fl_fence.
 *   fl_fence()                 everything that this thread copied or wrote back before is persistent afterwards; where
 *                              the caches are in the persistence domain, everything that it stored.
 *   fl_time(strategy, dst, src, n)
 *                              persists the page at dst from src in frames of n bytes by a strategy (1 non-temporal
 *                              stores, 2 stores and write-back, 3 stores), and returns the nanoseconds that took.
 *   fl_crc32c(crc, p, n)       goes on with a CRC32C (Castagnoli; begun with 0) over n bytes.
 *   fl_copy_crc32c(crc, dst, p, n)
 *                              fl_copy and fl_crc32c, over each line together.
 *   fl_persist_frame(dst, src, length, n, salt)
 *                              equivalent to: store crc32c(src + 4, length - 4) ^ salt to the first 4 bytes at src, then
 *                              fl_persist(dst, src, n). Checksum and copy go over each line together.
 *   fl_store_frame(dst, src, length, n, salt)
 *                              the same with memcpy and without the fence.
 *   fl_persist_entry(dst, payload, entry, position, sequence, timestamp, seal)
 *                              equivalent to: build the frame of one entry (FORMAT.md) in a buffer, then fl_persist_frame
 *                              from there. The header never meets memory before dst, and each byte of the payload is
 *                              loaded once. `entry` is the payload's length and, above 32 bits, its type; the bytes of
 *                              `seal` are the salt and, above, the epoch: a double, so that all travels in registers.
 *   fl_store_entry(...)        the same by plain stores and without the fence.
 *   fl_has_entry()             whether these two are there: they need AVX-512.
 *   fl_run(p, n, position, sequence, attributes, limits, ahead)
 *                              how many of the n bytes at p, whole lines, are valid frames of one entry that follow each
 *                              other: the first one with this position and sequence, all with these attributes (the
 *                              header's last word). `limits` is the salt and, above 32 bits, the greatest length of a
 *                              frame; with its top bit set checksums are not looked at. Nobody else stores into p. As
 *                              many bytes at `ahead`, if not null, are on their way into the cache then.
 *   fl_describe()              which instructions were chosen, as text.
 *
 * Callers keep n at 64 KiB or less: a critical downcall delays the JVM's safepoints. Checksums and frames are in frames.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#define TARGET(t) __attribute__((target(t)))
#define LINE 64
#define PAGE 4096
#define EACH_LINE(p, n, line) \
  for (uintptr_t l = (uintptr_t)(p) & ~((uintptr_t)(line) - 1), end = (uintptr_t)(p) + (n); l < end; l += (line))

/* ------------------------------------------------------------------------------------------------- x86-64 */
#if defined(__x86_64__)
#include <immintrin.h>

static void copy_sse2(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 16)
    _mm_stream_si128((__m128i *)(dst + i), _mm_loadu_si128((const __m128i *)(src + i)));
}

TARGET("avx2") static void copy_avx2(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 32)
    _mm256_stream_si256((__m256i *)(dst + i), _mm256_loadu_si256((const __m256i *)(src + i)));
}

TARGET("avx512f") static void copy_avx512(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 64) _mm512_stream_si512((__m512i *)(dst + i), _mm512_loadu_si512(src + i));
}

static void write_back_clflush(char *p, size_t n) { EACH_LINE(p, n, LINE) _mm_clflush((void *)l); }

TARGET("clflushopt") static void write_back_clflushopt(char *p, size_t n) {
  EACH_LINE(p, n, LINE) _mm_clflushopt((void *)l);
}

TARGET("clwb") static void write_back_clwb(char *p, size_t n) { EACH_LINE(p, n, LINE) _mm_clwb((void *)l); }

static inline void fence(void) { _mm_sfence(); }

static void (*copy)(char *, const char *, size_t) = copy_sse2;
static void (*write_back)(char *, size_t) = write_back_clflush;

/* CPUID leaf 7 tells clflushopt (EBX bit 23) and clwb (EBX bit 24). */
static const char *choose_strategies(void) {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __builtin_cpu_init();
  int avx512 = __builtin_cpu_supports("avx512f"), avx2 = __builtin_cpu_supports("avx2");
  copy = avx512 ? copy_avx512 : avx2 ? copy_avx2 : copy_sse2;
  const char *vectors = avx512 ? "avx512" : avx2 ? "avx2" : "sse2";
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  int clwb = b >> 24 & 1, clflushopt = b >> 23 & 1;
  write_back = clwb ? write_back_clwb : clflushopt ? write_back_clflushopt : write_back_clflush;
  static char text[64];
  snprintf(text, sizeof text, "%s, %s", vectors, clwb ? "clwb" : clflushopt ? "clflushopt" : "clflush");
  return text;
}

/* ------------------------------------------------------------------------------------------------ aarch64 */
#elif defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_DCPOP
#define HWCAP_DCPOP (1 << 16)
#endif

/* Where the processor knows no point of persistence, it is that of coherence. The CPU says how long its lines are. */
static size_t line = LINE;

static void write_back_cvac(char *p, size_t n) {
  EACH_LINE(p, n, line) __asm__ volatile("dc cvac, %0" ::"r"(l) : "memory");
}

static void write_back_cvap(char *p, size_t n) {
  EACH_LINE(p, n, line) __asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(l) : "memory"); /* dc cvap */
}

static void (*write_back)(char *, size_t) = write_back_cvac;

/* Stores that do not allocate in the caches stop at no certain place: a copy is stores and clean. */
static void copy(char *dst, const char *src, size_t n) {
  memcpy(dst, src, n);
  write_back(dst, n);
}

static inline void fence(void) { __asm__ volatile("dsb sy" ::: "memory"); }

static const char *choose_strategies(void) {
  uint64_t ctr;
  __asm__("mrs %0, ctr_el0" : "=r"(ctr));
  line = (size_t)4 << (ctr >> 16 & 15); /* DminLine: log2 of its words */
  if (!(getauxval(AT_HWCAP) & HWCAP_DCPOP)) return "stores, dc cvac";
  write_back = write_back_cvap;
  return "stores, dc cvap";
}

#else
#error "no persist kernel for this processor"
#endif

#include "frames.h"

static char description[128];

/* Chosen once, when the library is loaded. */
__attribute__((constructor)) static void choose(void) {
  const char *strategies = choose_strategies();
  snprintf(description, sizeof description, "%s, crc by %s", strategies, choose_checksum());
}

EXPORT const char *fl_describe(void) { return description; }

EXPORT void fl_copy(char *dst, const char *src, size_t n) { copy(dst, src, n); }

EXPORT void fl_persist(char *dst, const char *src, size_t n) {
  copy(dst, src, n);
  fence();
}

EXPORT void fl_write_back(char *p, size_t n) { write_back(p, n); }

EXPORT void fl_flush(char *p, size_t n) {
  write_back(p, n);
  fence();
}

EXPORT void fl_fence(void) { fence(); }

EXPORT int64_t fl_time(int strategy, char *dst, const char *src, size_t n) {
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (size_t at = 0; at + n <= PAGE; at += n) {
    if (strategy == 1) copy(dst + at, src + at, n);
    else memcpy(dst + at, src + at, n);
    if (strategy == 2) write_back(dst + at, n);
    fence();
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  return (to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec);
}
