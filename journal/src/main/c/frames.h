/* Checksums, and frames built in one pass over their bytes; a part of fenceline.c, whose head says what the doors do. */
#define FOLD_FROM 1536 /* shorter ranges are checksummed as fast by chains of crc32 instructions (measured on Zen 4) */
#define FOLD_RUN_FROM 256 /* the same, where ranges that do not depend on each other follow each other */

static inline uint64_t word(const char *p) {
  uint64_t w;
  memcpy(&w, p, 8);
  return w;
}

static inline uint32_t half(const char *p) {
  uint32_t w;
  memcpy(&w, p, 4);
  return w;
}

/* Without the instructions: bit by bit. Right, not fast; only CPUs older than any persistent memory lack them. */
static uint64_t crc_bits(uint64_t crc, const char *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    crc ^= (uint8_t)p[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  return crc;
}

static uint64_t (*crc32c)(uint64_t, const char *, size_t) = crc_bits;
static uint64_t (*crc_run)(uint64_t, const char *, size_t) = crc_bits;

static uint64_t copy_then_crc(uint64_t crc, char *dst, const char *p, size_t n) {
  copy(dst, p, n);
  return crc32c(crc, p, n);
}

static uint64_t (*copy_crc)(uint64_t, char *, const char *, size_t) = copy_then_crc;

/* ------------------------------------------------------------------------------------------------- x86-64 */
#if defined(__x86_64__)

/*
 * The checksum by the crc32 instruction, whose result depends on the one before: a chain. Long ranges are cut into four
 * chains of equal length, put together again by carry-less multiplication: shift[i] is x^(64 i - 33) mod P, so that
 * crc32(0, clmul(c, shift[i])) moves c over i words. Only built and called where the CPU has sse4.2 and pclmul.
 */
#define SHIFTS 1024
#define CHAINS_FROM 128
#define CRC_TARGET TARGET("sse4.2,pclmul")
static uint32_t shift[3 * SHIFTS + 1];

CRC_TARGET static inline uint64_t over(uint64_t crc, size_t words) {
  return (uint64_t)_mm_cvtsi128_si64(
      _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi32_si128((int)shift[words]), 0));
}

CRC_TARGET static inline uint64_t crc_chain(uint64_t crc, const char *p, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) crc = _mm_crc32_u64(crc, word(p + i));
  if (i + 4 <= n) crc = _mm_crc32_u32((uint32_t)crc, half(p + i)), i += 4;
  for (; i < n; i++) crc = _mm_crc32_u8((uint32_t)crc, (uint8_t)p[i]);
  return crc;
}

CRC_TARGET static uint64_t crc_chains(uint64_t crc, const char *p, size_t n) {
  while (n >= CHAINS_FROM) {
    size_t words = n / 32 < SHIFTS ? n / 32 : SHIFTS, bytes = words * 8;
    uint64_t a = crc, b = 0, c = 0, d = 0;
    for (size_t i = 0; i < bytes; i += 8) {
      a = _mm_crc32_u64(a, word(p + i));
      b = _mm_crc32_u64(b, word(p + bytes + i));
      c = _mm_crc32_u64(c, word(p + 2 * bytes + i));
      d = _mm_crc32_u64(d, word(p + 3 * bytes + i));
    }
    crc = d ^ _mm_crc32_u64(0, over(a, 3 * words) ^ over(b, 2 * words) ^ over(c, words));
    p += 4 * bytes;
    n -= 4 * bytes;
  }
  return crc_chain(crc, p, n);
}

/*
 * The checksum by folding: 256 bytes a step, in four registers of four 128-bit lanes. A lane that lies d bytes in front
 * of another is multiplied by x^(8 d) and added to it: fold_by(d) holds reflect(x^(8 d + 32) mod P) << 1 for its first
 * half, reflect(x^(8 d - 32) mod P) << 1 for the second. See Gopal et al., "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction", Intel 2009.
 */
#define FOLD_TARGET TARGET("sse4.2,pclmul,avx512f,avx512vl,avx512bw,avx512dq,vpclmulqdq")
static uint64_t fold256[2], fold192[2], fold128[2], fold64[2], fold48[2], fold32[2], fold16[2];

static void fold_by(uint64_t k[2], int d) {
  for (int half = 0; half < 2; half++) {
    uint32_t x = 0x80000000u; /* 1, reflected */
    for (int i = 0; i < 8 * d + (half ? -32 : 32); i++) x = x >> 1 ^ (x & 1 ? 0x82F63B78u : 0);
    k[half] = (uint64_t)x << 1;
  }
}

FOLD_TARGET static inline __m512i lanes(const uint64_t k[2]) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)k));
}

FOLD_TARGET static inline __m512i fold(__m512i x, __m512i k) {
  return _mm512_xor_si512(_mm512_clmulepi64_epi128(x, k, 0x00), _mm512_clmulepi64_epi128(x, k, 0x11));
}

FOLD_TARGET static inline __m128i fold_lane(__m128i x, const uint64_t k[2]) {
  __m128i c = _mm_loadu_si128((const __m128i *)k);
  return _mm_xor_si128(_mm_clmulepi64_si128(x, c, 0x00), _mm_clmulepi64_si128(x, c, 0x11));
}

/* What to do with each line as it is loaded. */
enum to { NOWHERE, STREAM, STORE };

FOLD_TARGET static inline __m512i put(__m512i x, char *dst, enum to to) {
  if (to == STREAM) _mm512_stream_si512((__m512i *)dst, x);
  if (to == STORE) _mm512_store_si512(dst, x);
  return x;
}

#define line(p, dst, i, to) put(_mm512_loadu_si512((p) + (i)), (dst) + (i), to)

/* n is a multiple of 256. */
FOLD_TARGET static inline uint64_t crc_fold_copy(uint64_t crc, const char *p, size_t n, char *dst, enum to to) {
  __m512i x0 = line(p, dst, 0, to), x1 = line(p, dst, 64, to), x2 = line(p, dst, 128, to), x3 = line(p, dst, 192, to);
  x0 = _mm512_xor_si512(x0, _mm512_zextsi128_si512(_mm_cvtsi64_si128((long long)crc)));
  const __m512i k = lanes(fold256);
  size_t i = 256;
  for (; i < n; i += 256) {
    x0 = _mm512_xor_si512(fold(x0, k), line(p, dst, i, to));
    x1 = _mm512_xor_si512(fold(x1, k), line(p, dst, i + 64, to));
    x2 = _mm512_xor_si512(fold(x2, k), line(p, dst, i + 128, to));
    x3 = _mm512_xor_si512(fold(x3, k), line(p, dst, i + 192, to));
  }
  __m512i x = _mm512_xor_si512(
      _mm512_xor_si512(fold(x0, lanes(fold192)), fold(x1, lanes(fold128))),
      _mm512_xor_si512(fold(x2, lanes(fold64)), x3));
  __m128i y = _mm_xor_si128(
      _mm_xor_si128(
          fold_lane(_mm512_castsi512_si128(x), fold48), fold_lane(_mm512_extracti32x4_epi32(x, 1), fold32)),
      _mm_xor_si128(fold_lane(_mm512_extracti32x4_epi32(x, 2), fold16), _mm512_extracti32x4_epi32(x, 3)));
  crc = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(y));
  crc = _mm_crc32_u64(crc, (uint64_t)_mm_extract_epi64(y, 1));
  return crc;
}

FOLD_TARGET static inline uint64_t crc_fold_from(uint64_t crc, const char *p, size_t n, size_t from) {
  size_t folded = n < from ? 0 : n & ~(size_t)255;
  if (folded) crc = crc_fold_copy(crc, p, folded, 0, NOWHERE);
  return crc_chains(crc, p + folded, n - folded);
}

FOLD_TARGET static uint64_t crc_fold(uint64_t crc, const char *p, size_t n) {
  return crc_fold_from(crc, p, n, FOLD_FROM);
}

FOLD_TARGET static uint64_t crc_fold_run(uint64_t crc, const char *p, size_t n) {
  return crc_fold_from(crc, p, n, FOLD_RUN_FROM);
}

FOLD_TARGET static uint64_t copy_crc_fold(uint64_t crc, char *dst, const char *p, size_t n) {
  size_t folded = n < FOLD_FROM ? 0 : n & ~(size_t)255;
  if (folded) crc = crc_fold_copy(crc, p, folded, dst, STREAM);
  copy_avx512(dst + folded, p + folded, n - folded);
  return crc_chains(crc, p + folded, n - folded);
}

#define DATA_OF_ONE (1ull << 32 | 1ull << 48) /* kind DATA, one entry: the header's last word above the epoch */

/*
 * One entry. A line that was just put together from small stores cannot be loaded whole before these have reached the
 * cache, and that they do only behind the last append's fence. So the header stays in registers, and a line of payload
 * goes to dst from the register that it was loaded into; the checksum reads a copy of it.
 */
FOLD_TARGET static inline void put_entry(
    char *dst, const char *payload, uint64_t entry, uint64_t position, uint64_t sequence, uint64_t timestamp,
    double seal, enum to to) {
  char scratch[256] __attribute__((aligned(64)));
  uint64_t epoch_salt = (uint64_t)_mm_cvtsi128_si64(_mm_castpd_si128(_mm_set_sd(seal)));
  uint64_t word = epoch_salt >> 32 | DATA_OF_ONE;
  uint32_t salt = (uint32_t)epoch_salt;
  size_t n = (uint32_t)entry;
  uint64_t length = 48 + ((n + 7) & ~(size_t)7);
  uint64_t crc = _mm_crc32_u32(~0u, (uint32_t)length);
  crc = _mm_crc32_u64(_mm_crc32_u64(crc, position), sequence);
  crc = _mm_crc32_u64(_mm_crc32_u64(_mm_crc32_u64(crc, timestamp), word), entry);
  __m128i head = _mm_maskz_loadu_epi8((__mmask16)(n < 16 ? (1u << n) - 1 : 0xFFFF), payload);
  uint64_t head0 = (uint64_t)_mm_cvtsi128_si64(head), head1 = (uint64_t)_mm_extract_epi64(head, 1);
  if (n > 0) crc = _mm_crc32_u64(crc, head0);
  if (n > 8) crc = _mm_crc32_u64(crc, head1);
  if (n > 16) {
    size_t rest = n - 16, folded = rest & ~(size_t)255, i = 0; /* folding needs no copy */
    payload += 16;
    char *to_line = dst + LINE;
    if (folded) crc = crc_fold_copy(crc, payload, folded, to_line, to);
    payload += folded, to_line += folded, rest -= folded;
    for (; i + LINE <= rest; i += LINE) _mm512_store_si512(scratch + i, line(payload, to_line, i, to));
    if (i < rest) {
      __m512i x = _mm512_maskz_loadu_epi8((1ull << (rest - i)) - 1, payload + i);
      _mm512_store_si512(scratch + i, put(x, to_line + i, to));
    }
    crc = crc_chains(crc, scratch, (rest + 7) & ~(size_t)7);
  }
  put(_mm512_set_epi64((long long)head1, (long long)head0, (long long)entry, (long long)word, (long long)timestamp,
                       (long long)sequence, (long long)position,
                       (long long)(length << 32 | ((uint32_t)~crc ^ salt))),
      dst, to);
}

FOLD_TARGET static void persist_entry_avx512(
    char *dst, const char *payload, uint64_t entry, uint64_t position, uint64_t sequence, uint64_t timestamp,
    double seal) {
  put_entry(dst, payload, entry, position, sequence, timestamp, seal, STREAM);
  fence();
}

FOLD_TARGET static void store_entry_avx512(
    char *dst, const char *payload, uint64_t entry, uint64_t position, uint64_t sequence, uint64_t timestamp,
    double seal) {
  put_entry(dst, payload, entry, position, sequence, timestamp, seal, STORE);
}

CRC_TARGET static void fill_tables(void) {
  shift[1] = 1; /* x^31, reflected */
  for (size_t i = 2; i < sizeof shift / sizeof *shift; i++) shift[i] = (uint32_t)_mm_crc32_u64(shift[i - 1], 0);
  fold_by(fold256, 256), fold_by(fold192, 192), fold_by(fold128, 128), fold_by(fold64, 64);
  fold_by(fold48, 48), fold_by(fold32, 32), fold_by(fold16, 16);
}

static int has_entry;

static const char *choose_checksum(void) {
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("pclmul")) return "bits";
  fill_tables();
  crc32c = crc_run = crc_chains;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("vpclmulqdq"))
    return "crc32";
  crc32c = crc_fold, crc_run = crc_fold_run, copy_crc = copy_crc_fold, has_entry = 1;
  return "vpclmulqdq";
}

/* ------------------------------------------------------------------------------------------------ aarch64 */
#else
#include <arm_acle.h>

__attribute__((target("+crc"))) static uint64_t crc_words(uint64_t crc, const char *p, size_t n) {
  uint32_t x = (uint32_t)crc;
  size_t i = 0;
  for (uint64_t w; i + 8 <= n; i += 8) {
    memcpy(&w, p + i, 8);
    x = __crc32cd(x, w);
  }
  for (; i < n; i++) x = __crc32cb(x, (uint8_t)p[i]);
  return x;
}

static const char *choose_checksum(void) {
  if (!(getauxval(AT_HWCAP) & HWCAP_CRC32)) return "bits";
  crc32c = crc_run = crc_words;
  return "crc32";
}
#endif

/* -------------------------------------------------------------------------------------------------- doors */

EXPORT uint32_t fl_crc32c(uint32_t crc, const char *p, size_t n) { return ~(uint32_t)crc32c(~crc, p, n); }

EXPORT uint32_t fl_copy_crc32c(uint32_t crc, char *dst, const char *p, size_t n) {
  return ~(uint32_t)copy_crc(~crc, dst, p, n);
}

/* The first line goes last: it holds the checksum. The others are on their way while that is computed. */
EXPORT void fl_persist_frame(char *dst, char *src, size_t length, size_t n, uint32_t salt) {
  uint32_t c;
  if (length < FOLD_FROM) {
    copy(dst + LINE, src + LINE, n - LINE);
    c = (uint32_t)crc32c(~0u, src + 4, length - 4);
  } else {
    size_t whole = length & ~(size_t)(LINE - 1); /* lines that are covered to their end */
    c = (uint32_t)copy_crc(crc32c(~0u, src + 4, LINE - 4), dst + LINE, src + LINE, whole - LINE);
    copy(dst + whole, src + whole, n - whole);
    c = (uint32_t)crc32c(c, src + whole, length - whole);
  }
  c = ~c ^ salt;
  memcpy(src, &c, 4);
  copy(dst, src, LINE);
  fence();
}

EXPORT void fl_store_frame(char *dst, char *src, size_t length, size_t n, uint32_t salt) {
  uint32_t c = ~(uint32_t)crc32c(~0u, src + 4, length - 4) ^ salt;
  memcpy(src, &c, 4);
  memcpy(dst, src, n);
}

#if defined(__x86_64__)
#define WITH_ENTRY(call) call
#else
#define has_entry 0
#define WITH_ENTRY(call) \
  ((void)dst, (void)payload, (void)entry, (void)position, (void)sequence, (void)timestamp, (void)seal)
#endif

EXPORT int fl_has_entry(void) { return has_entry; }

EXPORT void fl_persist_entry(
    char *dst, const char *payload, uint64_t entry, uint64_t position, uint64_t sequence, uint64_t timestamp,
    double seal) {
  WITH_ENTRY(persist_entry_avx512(dst, payload, entry, position, sequence, timestamp, seal));
}

EXPORT void fl_store_entry(
    char *dst, const char *payload, uint64_t entry, uint64_t position, uint64_t sequence, uint64_t timestamp,
    double seal) {
  WITH_ENTRY(store_entry_avx512(dst, payload, entry, position, sequence, timestamp, seal));
}

/*
 * Most of a scan is here, and the checksums of frames that follow each other do not depend on each other: the processor
 * computes several at a time. Nothing is loaded beyond p + n, whatever the frames say.
 */
EXPORT size_t fl_run(
    const char *p, size_t n, uint64_t position, uint64_t sequence, uint64_t attributes, uint64_t limits,
    const char *ahead) {
  uint32_t salt = (uint32_t)limits, longest = limits >> 32 & 0x7FFFFFFF;
  int verify = !(limits >> 63);
  size_t at = 0;
  while (at < n && n - at >= LINE) {
    const char *frame = p + at;
    uint32_t length = half(frame + 4), rest = length - 48 - half(frame + 40); /* what fills the payload to words */
    if (length < 48 || length > n - at || length > longest || length % 8 || rest >= 8 || word(frame + 8) != position ||
        word(frame + 16) != sequence || word(frame + 32) != attributes)
      break;
    if (ahead)
      for (size_t l = 0; l < length; l += LINE) __builtin_prefetch(ahead + at + l, 0, 2);
    if (verify && (~(uint32_t)crc_run(~0u, frame + 4, length - 4) ^ salt) != half(frame)) break;
    size_t distance = (length + LINE - 1) & ~(size_t)(LINE - 1);
    at += distance, position += distance, sequence++;
  }
  return at;
}
