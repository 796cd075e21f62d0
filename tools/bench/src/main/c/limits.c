/*
 * The raw limits: what the medium itself costs, in loops that time themselves. Each walks a ring of frames, lap after
 * lap, and returns the nanoseconds that n frames took; the caller keeps `at`, the offset of the next frame.
 *
 *   limit_nt(ring, ringLength, at, frameLength, framesPerFence, n, source)
 *                            frames by non-temporal stores of the widest vectors, sfence after each framesPerFence.
 *                            One frame a fence is the limit of a single append, large frames are raw streaming.
 *   limit_framed(ring, ringLength, at, frameLength, n, payload)
 *                            one frame a fence, with all that a frame is: the payload copied to a staging buffer,
 *                            header, CRC32C by hardware, padding to slots, then as above.
 *   limit_framed_followed(…as limit_framed, published)
 *                            the same, and the number of frames stored to *published (release) after each fence.
 *   limit_follow(ring, ringLength, frameLength, published)
 *                            for another thread: spins on *published, and computes the CRC32C of each frame up to it,
 *                            until that is negative; returns how many frames it read.
 *   limit_memcpy(…as limit_nt, without framesPerFence)
 *                            memcpy to the mapping, one frame a call.
 *   limit_sync(fd, fileOffset, ringLength, at, frameLength, n, source)
 *                            pwrite and fdatasync for each frame; -errno if one fails.
 *   limit_scan(frames, length, verify)
 *                            walks valid frames, reads their payloads; verify also computes their CRC32C.
 *
 *   One frame at a time, for a caller that times each; these do not time themselves, and order nothing:
 *   limit_store(to, source, frameLength)                               the stores of limit_nt, without the fence.
 *   limit_store_framed(to, stage, sequence, position, frameLength, payload)
 *                            those of limit_framed, built in the caller's stage of frameLength bytes.
 *   limit_copy(to, source, frameLength)                                memcpy.
 *   limit_fence()            the fence of the above.
 *   limit_pwrite(fd, source, length, offset), limit_fdatasync(fd)      -errno if they fail.
 *
 *   limit_crc32c(p, n)       the checksum that the above use, for a test.
 *   limit_open(path), limit_close(fd), limit_pin(cpu)     -errno if they fail; limit_pin binds the calling thread.
 *   limit_describe()         which instructions were chosen, as text.
 *
 * Lengths of rings and frames are multiples of 64.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { SLOT = 64, HEADER = 40, PAYLOAD = 48, STAGE = 1 << 20 };

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static inline int64_t place(int64_t at, int64_t frame, int64_t ring) { return at + frame <= ring ? at : 0; }

/* CRC32C: three independent chains hide the latency of the instruction, tables join them. */
enum { LONG = 512, SHORT = 64 };
static uint32_t shift_long[4][256], shift_short[4][256];

static uint32_t shift(uint32_t table[4][256], uint32_t crc) {
  return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255] ^ table[3][crc >> 24];
}

/* What n zero bytes do to a checksum, for each value of each of its bytes. */
static void make_shift(uint32_t table[4][256], int n) {
  for (int byte = 0; byte < 4; byte++)
    for (uint32_t value = 0; value < 256; value++) {
      uint32_t crc = value << 8 * byte;
      for (int bit = 0; bit < 8 * n; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
      table[byte][value] = crc;
    }
}

#if defined(__x86_64__)
#include <immintrin.h>
#define CRC_TARGET __attribute__((target("sse4.2")))
#define CRC8 _mm_crc32_u8
#define CRC64(crc, word) (uint32_t) _mm_crc32_u64(crc, word)
#define FENCE() _mm_sfence()
#define PAUSE() _mm_pause()
#elif defined(__aarch64__)
#include <arm_acle.h>
#define CRC_TARGET __attribute__((target("+crc")))
#define CRC8 __crc32cb
#define CRC64 __crc32cd
#define FENCE() __asm__ volatile("dsb ish" ::: "memory")
#define PAUSE() __asm__ volatile("isb")
#else
#error "no raw limits for this processor"
#endif

static inline uint64_t word(const char *p) {
  uint64_t value;
  memcpy(&value, p, 8);
  return value;
}

CRC_TARGET static inline const char *chains(uint32_t *crc, const char *p, int length, uint32_t table[4][256]) {
  uint32_t a = *crc, b = 0, c = 0;
  for (int i = 0; i < length; i += 8) {
    a = CRC64(a, word(p + i));
    b = CRC64(b, word(p + length + i));
    c = CRC64(c, word(p + 2 * length + i));
  }
  *crc = shift(table, shift(table, a) ^ b) ^ c;
  return p + 3 * length;
}

CRC_TARGET static inline uint32_t crc32c(const char *p, int64_t n) {
  const char *end = p + n;
  uint32_t crc = ~0u;
  while (end - p >= 3 * LONG) p = chains(&crc, p, LONG, shift_long);
  while (end - p >= 3 * SHORT) p = chains(&crc, p, SHORT, shift_short);
  for (; end - p >= 8; p += 8) crc = CRC64(crc, word(p));
  for (; p < end; p++) crc = CRC8(crc, *(const unsigned char *)p);
  return ~crc;
}

static char own_stage[STAGE] __attribute__((aligned(64)));

#define PUT(type, offset, value) \
  do { \
    type put = (value); \
    memcpy(stage + (offset), &put, sizeof put); \
  } while (0)

CRC_TARGET static inline void build(char *stage, int64_t sequence, int64_t position, int64_t length, const char *payload) {
  PUT(uint32_t, 4, (uint32_t)length);
  PUT(int64_t, 8, position);
  PUT(int64_t, 16, sequence);
  PUT(int64_t, 24, 1);
  PUT(uint64_t, 32, 1 | 1ull << 32 | 1ull << 48);
  PUT(uint64_t, HEADER, (uint64_t)(length - PAYLOAD));
  memcpy(stage + PAYLOAD, payload, (size_t)(length - PAYLOAD));
  PUT(uint32_t, 0, crc32c(stage + 4, length - 4));
}

/* The loops around a copy, once for each instruction set, so that the copy is inlined. */
#define LOOPS(isa, attributes, LINE) \
  attributes static inline void lines_##isa(char *to, const char *from, int64_t n) { \
    for (int64_t i = 0; i < n; i += SLOT) LINE(to + i, from + i); \
  } \
  attributes static int64_t nt_##isa(char *ring, int64_t length, int64_t at, int64_t frame, int64_t per_fence, \
                                     int64_t n, const char *source) { \
    int64_t start = now_ns(), left = per_fence; \
    for (int64_t i = 0; i < n; i++, at += frame) { \
      at = place(at, frame, length); \
      lines_##isa(ring + at, source, frame); \
      if (--left == 0) { \
        FENCE(); \
        left = per_fence; \
      } \
    } \
    FENCE(); \
    return now_ns() - start; \
  } \
  attributes static int64_t framed_##isa(char *ring, int64_t length, int64_t at, int64_t frame, int64_t n, \
                                         const char *payload, int64_t *published) { \
    int64_t start = now_ns(), frames = published ? *published : 0; \
    for (int64_t i = 0; i < n; i++, at += frame) { \
      at = place(at, frame, length); \
      build(own_stage, i, at, frame, payload); \
      lines_##isa(ring + at, own_stage, frame); \
      FENCE(); \
      if (published) __atomic_store_n(published, ++frames, __ATOMIC_RELEASE); \
    } \
    return now_ns() - start; \
  } \
  attributes static void store_##isa(char *to, const char *from, int64_t n) { lines_##isa(to, from, n); }

typedef void store_lines(char *, const char *, int64_t);
typedef int64_t nt_loop(char *, int64_t, int64_t, int64_t, int64_t, int64_t, const char *);
typedef int64_t framed_loop(char *, int64_t, int64_t, int64_t, int64_t, const char *, int64_t *);

#if defined(__x86_64__)
#define LINE_SSE2(to, from) \
  do { \
    for (int part = 0; part < SLOT; part += 16) \
      _mm_stream_si128((__m128i *)((to) + part), _mm_loadu_si128((const __m128i *)((from) + part))); \
  } while (0)
#define LINE_AVX2(to, from) \
  do { \
    _mm256_stream_si256((__m256i *)(to), _mm256_loadu_si256((const __m256i *)(from))); \
    _mm256_stream_si256((__m256i *)((to) + 32), _mm256_loadu_si256((const __m256i *)((from) + 32))); \
  } while (0)
#define LINE_AVX512(to, from) _mm512_stream_si512((__m512i *)(to), _mm512_loadu_si512(from))

LOOPS(sse2, __attribute__((target("sse4.2"))), LINE_SSE2)
LOOPS(avx2, __attribute__((target("avx2"))), LINE_AVX2)
LOOPS(avx512, __attribute__((target("avx512f"))), LINE_AVX512)

static nt_loop *nt = nt_sse2;
static framed_loop *framed = framed_sse2;
static store_lines *store = store_sse2;
static const char *description = "sse2";

static void choose(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) nt = nt_avx512, framed = framed_avx512, store = store_avx512, description = "avx512";
  else if (__builtin_cpu_supports("avx2")) nt = nt_avx2, framed = framed_avx2, store = store_avx2, description = "avx2";
}
#else
#define LINE_CVAP(to, from) \
  do { \
    memcpy(to, from, SLOT); \
    __asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(to) : "memory"); \
  } while (0)

LOOPS(cvap, __attribute__((target("+crc"))), LINE_CVAP)

static nt_loop *nt = nt_cvap;
static framed_loop *framed = framed_cvap;
static store_lines *store = store_cvap;
static const char *description = "dc cvap";

static void choose(void) {}
#endif

__attribute__((constructor)) static void prepare(void) {
  make_shift(shift_long, LONG);
  make_shift(shift_short, SHORT);
  choose();
}

EXPORT int64_t limit_nt(char *ring, int64_t length, int64_t at, int64_t frame, int64_t per_fence, int64_t n,
                        const char *source) {
  return nt(ring, length, at, frame, per_fence, n, source);
}

EXPORT int64_t limit_framed(char *ring, int64_t length, int64_t at, int64_t frame, int64_t n, const char *payload) {
  return frame > STAGE ? -EINVAL : framed(ring, length, at, frame, n, payload, NULL);
}

EXPORT int64_t limit_framed_followed(char *ring, int64_t length, int64_t at, int64_t frame, int64_t n,
                                     const char *payload, int64_t *published) {
  return frame > STAGE ? -EINVAL : framed(ring, length, at, frame, n, payload, published);
}

/* Through a pointer that the compiler does not see through: a call of memcpy for each frame. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

EXPORT int64_t limit_memcpy(char *ring, int64_t length, int64_t at, int64_t frame, int64_t n, const char *source) {
  void *(*call)(void *, const void *, size_t) = copy;
  int64_t start = now_ns();
  for (int64_t i = 0; i < n; i++, at += frame) {
    at = place(at, frame, length);
    call(ring + at, source, (size_t)frame);
  }
  return now_ns() - start;
}

EXPORT int64_t limit_sync(int fd, int64_t offset, int64_t length, int64_t at, int64_t frame, int64_t n,
                          const char *source) {
  int64_t start = now_ns();
  for (int64_t i = 0; i < n; i++, at += frame) {
    at = place(at, frame, length);
    ssize_t written = pwrite(fd, source, (size_t)frame, offset + at);
    if (written != frame) return written < 0 ? -errno : -EIO;
    if (fdatasync(fd) != 0) return -errno;
  }
  return now_ns() - start;
}

EXPORT void limit_store(char *to, const char *source, int64_t frame) { store(to, source, frame); }

CRC_TARGET EXPORT void limit_store_framed(char *to, char *stage, int64_t sequence, int64_t position, int64_t frame,
                                          const char *payload) {
  build(stage, sequence, position, frame, payload);
  store(to, stage, frame);
}

EXPORT void limit_copy(char *to, const char *source, int64_t frame) { copy(to, source, (size_t)frame); }

EXPORT void limit_fence(void) { FENCE(); }

EXPORT int64_t limit_pwrite(int fd, const char *source, int64_t length, int64_t offset) {
  ssize_t written = pwrite(fd, source, (size_t)length, offset);
  return written == length ? 0 : written < 0 ? -errno : -EIO;
}

EXPORT int64_t limit_fdatasync(int fd) { return fdatasync(fd) == 0 ? 0 : -errno; }

static volatile uint64_t sink;

CRC_TARGET EXPORT int64_t limit_scan(const char *frames, int64_t length, int verify) {
  uint64_t sum = 0;
  int64_t start = now_ns();
  for (int64_t at = 0; at + SLOT <= length;) {
    uint32_t frame = (uint32_t)(word(frames + at) >> 32);
    int64_t step = ((int64_t)frame + SLOT - 1) & -SLOT;
    if (frame < PAYLOAD || at + step > length) break;
    if (verify) sum += crc32c(frames + at + 4, frame - 4);
    for (int64_t i = PAYLOAD; i + 8 <= frame; i += 8) sum += word(frames + at + i);
    at += step;
  }
  sink = sum;
  return now_ns() - start;
}

CRC_TARGET EXPORT int64_t limit_follow(const char *ring, int64_t length, int64_t frame, int64_t *published) {
  int64_t seen = __atomic_load_n(published, __ATOMIC_ACQUIRE), lap = length / frame, read = 0;
  uint64_t sum = 0;
  for (int64_t now; (now = __atomic_load_n(published, __ATOMIC_ACQUIRE)) >= 0;) {
    if (now - seen > lap) seen = now;
    for (; seen < now; seen++, read++) sum += crc32c(ring + seen % lap * frame + 4, frame - 4);
    PAUSE();
  }
  sink = sum;
  return read;
}

EXPORT int limit_crc32c(const char *p, int64_t n) { return (int)crc32c(p, n); }

EXPORT int limit_open(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

EXPORT int limit_close(int fd) { return close(fd) == 0 ? 0 : -errno; }

EXPORT int limit_pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

EXPORT const char *limit_describe(void) { return description; }
