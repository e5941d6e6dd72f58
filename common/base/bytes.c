/* bytes.c - hex */
#include "base/bytes.h"

#include "base/status.h"

void av_hex(const void *data, size_t size, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++) {
		*ret_text++ = digits[p[i] >> 4];
		*ret_text++ = digits[p[i] & 15];
	}
	*ret_text = '\0';
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int av_unhex(const char *text, void *ret_data, size_t size)
{
	unsigned char *p = ret_data;

	/* Looked through first, so that a failure leaves the output untouched. */
	for (size_t i = 0; i < 2 * size; i++) {
		if (digit_of(text[i]) < 0)
			return AV_INVALID;
	}
	if (text[2 * size] != '\0')
		return AV_INVALID;
	for (size_t i = 0; i < size; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): looked through above */
		p[i] = (unsigned char)(digit_of(text[2 * i]) << 4 | digit_of(text[2 * i + 1]));
	return AV_OK;
}
