/* bytes.h - slices of memory, big-endian integers, hex.
 *
 * No ownership: a slice points into somebody's memory.
 */
#ifndef AVVIK_BASE_BYTES_H
#define AVVIK_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct av_bytes {
	const void *data; /* NULL only when size is 0 */
	size_t size;
};

static inline struct av_bytes av_bytes(const void *data, size_t size)
{
	return (struct av_bytes){data, size};
}

static inline struct av_bytes av_bytes_of(const char *text)
{
	return (struct av_bytes){text, strlen(text)};
}

static inline bool av_bytes_equal(struct av_bytes a, struct av_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Keys in the store are big-endian, so that their order is that of the numbers. */
static inline void av_put_u32(void *to, uint32_t value)
{
	unsigned char *p = to;
	for (int i = 3; i >= 0; i--, value >>= 8)
		p[i] = (unsigned char)value;
}

static inline void av_put_u64(void *to, uint64_t value)
{
	unsigned char *p = to;
	for (int i = 7; i >= 0; i--, value >>= 8)
		p[i] = (unsigned char)value;
}

static inline uint32_t av_get_u32(const void *from)
{
	const unsigned char *p = from;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t av_get_u64(const void *from)
{
	return (uint64_t)av_get_u32(from) << 32 | av_get_u32((const unsigned char *)from + 4);
}

/* Lower-case hex; `ret_text` takes 2 * size + 1 bytes. */
void av_hex(const void *data, size_t size, char *ret_text);
/* Exactly `size` bytes from 2 * size hex digits and the end of the string. AV_INVALID otherwise. */
int av_unhex(const char *text, void *ret_data, size_t size);

#endif
