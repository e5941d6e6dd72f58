/* bus_zap.c - ZAP requests, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/status.h"
#include "bus/zap.h"

#define KEY                                                                                                \
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17" \
	"\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"

static struct av_bytes frame(const char *text)
{
	return av_bytes_of(text);
}

static void good(struct av_bytes frames[9])
{
	const char *texts[] = {"1.0", "1", "avvik", "127.0.0.1", "", "CURVE"};
	for (size_t i = 0; i < AV_COUNT(texts); i++)
		frames[i] = frame(texts[i]);
	frames[6] = av_bytes(KEY, 32);
	frames[7] = frames[8] = frame("more");
}

static void a_good_request_is_taken_apart(void **state)
{
	(void)state;
	struct av_bytes frames[9];
	struct av_zap_request request;
	good(frames);
	assert_int_equal(av_zap_parse(frames, 7, &request), AV_OK);
	assert_true(av_bytes_equal(request.id, frame("1")));
	assert_true(av_bytes_equal(request.domain, frame("avvik")));
	assert_true(av_bytes_equal(request.address, frame("127.0.0.1")));
	/* The first bytes by the definition of Z85: 0x00010203 is 3 + 2*256 + 65536 = 009c6 in base 85. */
	assert_int_equal(strlen(request.key), 40);
	assert_memory_equal(request.key, "009c61o!#m2NH?C3", 16);
}

static void every_bad_request_is_refused_and_leaves_the_output_alone(void **state)
{
	(void)state;
	static char long_text[257];
	memset(long_text, 'x', 256);
	const struct {
		const char *what;
		size_t count, index;
		struct av_bytes value;
		int want;
	} rows[] = {
		{"no frames", 0, 0, {"1.0", 3}, AV_MALFORMED},
		{"six frames", 6, 0, {"1.0", 3}, AV_MALFORMED},
		{"eight frames", 8, 0, {"1.0", 3}, AV_MALFORMED},
		{"version 2.0", 7, 0, {"2.0", 3}, AV_UNSUPPORTED},
		{"version with a NUL", 7, 0, {"1.0", 4}, AV_UNSUPPORTED},
		{"no version", 7, 0, {"", 0}, AV_UNSUPPORTED},
		{"no request id", 7, 1, {"", 0}, AV_MALFORMED},
		{"long request id", 7, 1, {long_text, 256}, AV_MALFORMED},
		{"long domain", 7, 2, {long_text, 256}, AV_MALFORMED},
		{"long address", 7, 3, {long_text, 256}, AV_MALFORMED},
		{"long identity", 7, 4, {long_text, 256}, AV_MALFORMED},
		{"mechanism NULL", 7, 5, {"NULL", 4}, AV_UNSUPPORTED},
		{"mechanism PLAIN", 7, 5, {"PLAIN", 5}, AV_UNSUPPORTED},
		{"mechanism curve", 7, 5, {"curve", 5}, AV_UNSUPPORTED},
		{"no key", 7, 6, {"", 0}, AV_MALFORMED},
		{"31 bytes of key", 7, 6, {KEY, 31}, AV_MALFORMED},
		{"33 bytes of key", 7, 6, {long_text, 33}, AV_MALFORMED},
		{"key as text", 7, 6, {long_text, 40}, AV_MALFORMED},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_bytes frames[9];
		struct av_zap_request request = {.key = "untouched"};
		good(frames);
		frames[rows[i].index] = rows[i].value;
		int got = av_zap_parse(frames, rows[i].count, &request);
		if (got != rows[i].want)
			fail_msg("%s: got %s, want %s", rows[i].what, av_status_name(got),
				av_status_name(rows[i].want));
		assert_string_equal(request.key, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_request_is_taken_apart),
		cmocka_unit_test(every_bad_request_is_refused_and_leaves_the_output_alone),
	};
	return cmocka_run_group_tests_name("bus_zap", tests, NULL, NULL);
}
