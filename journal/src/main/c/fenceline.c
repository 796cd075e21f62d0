/*
 * The persist kernel: what Java cannot say. Addresses are raw; the caller has bounded them.
 *
 *   fl_copy(dst, src, n)     like memcpy, by non-temporal stores that bypass the caches.
 *                            dst and n are multiples of 64. Persisted by the next fl_fence of this thread.
 *   fl_persist(dst, src, n)  fl_copy and fl_fence in one call.
 *   fl_write_back(p, n)      writes the cache lines of [p, p + n) back to memory; persisted by the next fl_fence.
 *   fl_fence()               everything that this thread copied or wrote back before is persistent afterwards.
 *   fl_describe()            which instructions were chosen, as text.
 *
 * Callers keep n at 64 KiB or less: a critical downcall delays the JVM's safepoints.
 */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

#if defined(__x86_64__)
#include <immintrin.h>

static void copy_sse2(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 64) {
    __m128i a = _mm_loadu_si128((const __m128i *)(src + i)), b = _mm_loadu_si128((const __m128i *)(src + i + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(src + i + 32)), d = _mm_loadu_si128((const __m128i *)(src + i + 48));
    _mm_stream_si128((__m128i *)(dst + i), a);
    _mm_stream_si128((__m128i *)(dst + i + 16), b);
    _mm_stream_si128((__m128i *)(dst + i + 32), c);
    _mm_stream_si128((__m128i *)(dst + i + 48), d);
  }
}

__attribute__((target("avx2"))) static void copy_avx2(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(src + i)), b = _mm256_loadu_si256((const __m256i *)(src + i + 32));
    _mm256_stream_si256((__m256i *)(dst + i), a);
    _mm256_stream_si256((__m256i *)(dst + i + 32), b);
  }
}

__attribute__((target("avx512f"))) static void copy_avx512(char *dst, const char *src, size_t n) {
  for (size_t i = 0; i < n; i += 64) _mm512_stream_si512((__m512i *)(dst + i), _mm512_loadu_si512(src + i));
}

#define EACH_LINE(p, n) for (uintptr_t l = (uintptr_t)(p) & ~63ul, end = (uintptr_t)(p) + (n); l < end; l += 64)

static void write_back_clflush(char *p, size_t n) { EACH_LINE(p, n) _mm_clflush((void *)l); }

__attribute__((target("clflushopt"))) static void write_back_clflushopt(char *p, size_t n) {
  EACH_LINE(p, n) _mm_clflushopt((void *)l);
}

__attribute__((target("clwb"))) static void write_back_clwb(char *p, size_t n) { EACH_LINE(p, n) _mm_clwb((void *)l); }

static void (*copy)(char *, const char *, size_t) = copy_sse2;
static void (*write_back)(char *, size_t) = write_back_clflush;
static const char *description = "sse2";

/* Chosen once, when the library is loaded. CPUID leaf 7 tells clflushopt (EBX bit 23) and clwb (EBX bit 24). */
__attribute__((constructor)) static void choose(void) {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) copy = copy_avx512, description = "avx512";
  else if (__builtin_cpu_supports("avx2")) copy = copy_avx2, description = "avx2";
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if (b >> 24 & 1) write_back = write_back_clwb;
  else if (b >> 23 & 1) write_back = write_back_clflushopt;
}

static inline void fence(void) { _mm_sfence(); }

#elif defined(__aarch64__)

/* DC CVAP cleans to the point of persistence; non-temporal pairs still need it, so a copy is stores and clean. */
static void write_back(char *p, size_t n) {
  for (uintptr_t l = (uintptr_t)p & ~63ul, end = (uintptr_t)p + n; l < end; l += 64)
    __asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(l) : "memory");
}

static void copy(char *dst, const char *src, size_t n) {
  __builtin_memcpy(dst, src, n);
  write_back(dst, n);
}

static const char *description = "dc cvap";

static inline void fence(void) { __asm__ volatile("dsb ish" ::: "memory"); }

#else
#error "no persist kernel for this processor"
#endif

EXPORT void fl_copy(char *dst, const char *src, size_t n) { copy(dst, src, n); }

EXPORT void fl_persist(char *dst, const char *src, size_t n) {
  copy(dst, src, n);
  fence();
}

EXPORT void fl_write_back(char *p, size_t n) { write_back(p, n); }

EXPORT void fl_fence(void) { fence(); }

EXPORT const char *fl_describe(void) { return description; }
