/* base_memory.c - statuses, arenas, hex, big-endian numbers, av_freep */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/macros.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_text_and_a_name_of_its_own(void **state)
{
	static const int all[] = {
#define X(name, value, text) value,
		AV_STATUS_LIST(X)
#undef X
	};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(all); i++) {
		assert_string_not_equal(av_status_text(all[i]), "unknown status");
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(all[i], all[k]);
			assert_string_not_equal(av_status_text(all[i]), av_status_text(all[k]));
			assert_string_not_equal(av_status_name(all[i]), av_status_name(all[k]));
		}
	}
	assert_string_equal(av_status_name(AV_NOT_FOUND), "NOT_FOUND");
	assert_string_equal(av_status_text(AV_NOT_FOUND), "not found");
	assert_string_equal(av_status_text(-1000), "unknown status");
	assert_string_equal(av_status_name(2), "UNKNOWN");
}

static void an_arena_hands_out_aligned_memory_that_does_not_overlap(void **state)
{
	struct av_arena *arena = av_arena_create(0);
	unsigned char *parts[400];
	size_t sizes[400], want_used = 0;

	AV_UNUSED(state);
	assert_non_null(arena);
	for (size_t i = 0; i < AV_COUNT(parts); i++) {
		sizes[i] = i % 50 == 49 ? 100000 + i : i * 7 % 1500;
		want_used += sizes[i] ? (sizes[i] + 15) / 16 * 16 : 16;
		parts[i] = av_arena_alloc(arena, sizes[i]);
		assert_non_null(parts[i]);
		assert_int_equal((uintptr_t)parts[i] % 16, 0);
		memset(parts[i], (int)(i % 251), sizes[i]);
	}
	for (size_t i = 0; i < AV_COUNT(parts); i++) {
		for (size_t k = 0; k < sizes[i]; k++) {
			if (parts[i][k] != i % 251)
				fail_msg("part %zu byte %zu: got %d want %zu", i, k, parts[i][k], i % 251);
		}
	}
	assert_int_equal(av_arena_used(arena), want_used);
	assert_false(av_arena_failed(arena));
	av_arena_destroy(&arena);
	assert_null(arena);
	av_arena_destroy(&arena);
	av_arena_destroy(NULL);
}

static void an_arena_at_its_limit_answers_null_and_remembers_until_reset(void **state)
{
	static const size_t limits[] = {1, 100, 5000, 65536, 65537, 70000, 200000};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(limits); i++) {
		struct av_arena *arena = av_arena_create(limits[i]);
		size_t first = 0, second = 0;

		while (av_arena_alloc(arena, 64))
			first++;
		assert_true(first * 64 <= limits[i]);
		/* headers and the ends of blocks are all that may be lost */
		assert_true(first * 64 + 64 + (limits[i] / 65536 + 1) * 96 > limits[i]);
		assert_true(av_arena_failed(arena) && av_arena_crowded(arena));
		av_arena_reset(arena);
		assert_false(av_arena_failed(arena) || av_arena_crowded(arena));
		assert_int_equal(av_arena_used(arena), 0);
		while (av_arena_alloc(arena, 64))
			second++;
		assert_int_equal(second, first);
		av_arena_destroy(&arena);
	}
}

static void an_arena_refuses_sizes_that_would_overflow(void **state)
{
	struct av_arena *arena = av_arena_create(0);

	AV_UNUSED(state);
	for (size_t less = 0; less < 100; less++)
		assert_null(av_arena_alloc(arena, SIZE_MAX - less));
	assert_true(av_arena_failed(arena));
	assert_non_null(av_arena_alloc(arena, 10));
	assert_true(av_arena_failed(arena));
	av_arena_destroy(&arena);
}

static void a_large_request_does_not_waste_the_block_being_filled(void **state)
{
	/* Room for one ordinary block and one large; small ones must still find the ordinary block
	 * afterwards. */
	struct av_arena *arena = av_arena_create(65536 + 130000);

	AV_UNUSED(state);
	assert_non_null(av_arena_alloc(arena, 64));
	assert_non_null(av_arena_alloc(arena, 129000));
	for (int i = 0; i < 900; i++)
		assert_non_null(av_arena_alloc(arena, 64));
	assert_false(av_arena_failed(arena));
	av_arena_destroy(&arena);
}

static void an_arena_zeroes_copies_and_prints(void **state)
{
	struct av_arena *arena = av_arena_create(0);
	unsigned char *zeroes;
	char *text;

	AV_UNUSED(state);
	memset(av_arena_alloc(arena, 4096), 0xff, 4096);
	av_arena_reset(arena);
	zeroes = av_arena_zalloc(arena, 4096);
	for (size_t i = 0; i < 4096; i++)
		assert_int_equal(zeroes[i], 0);
	assert_memory_equal(av_arena_copy(arena, "abc\0d", 5), "abc\0d", 5);
	assert_non_null(av_arena_copy(arena, NULL, 0));
	assert_string_equal(av_arena_strdup(arena, "ärende"), "ärende");
	assert_string_equal(av_arena_strdup(arena, ""), "");
	assert_string_equal(av_arena_printf(arena, "%s-%d", "case", 17), "case-17");
	text = av_arena_printf(arena, "%0100000d", 1);
	assert_int_equal(strlen(text), 100000);
	av_arena_destroy(&arena);
}

static void hex_goes_there_and_back_for_every_byte(void **state)
{
	unsigned char bytes[256], back[256];
	char text[513];

	AV_UNUSED(state);
	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	av_hex(bytes, sizeof(bytes), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_int_equal(av_unhex(text, back, sizeof(back)), AV_OK);
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_int_equal(av_unhex("DEADbeef", back, 4), AV_OK);
	assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
	av_hex("", 0, text);
	assert_string_equal(text, "");
	assert_int_equal(av_unhex("", back, 0), AV_OK);
}

static void hex_that_is_not_exact_is_refused_and_writes_nothing(void **state)
{
	static const char *const bad[] = {"", "de", "dea", "deadbee", "deadbeef0", "deadbeeg", "0xadbeef",
		"de adbee", "-eadbeef", "\xe5\xa4kbeef"};
	unsigned char back[4] = {1, 2, 3, 4};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		if (av_unhex(bad[i], back, 4) != AV_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_memory_equal(back, "\1\2\3\4", 4);
	}
}

static void big_endian_numbers_sort_as_their_values(void **state)
{
	static const uint64_t values[] = {0, 1, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32,
		INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};
	unsigned char a[8], b[8];

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(values); i++) {
		av_put_u64(a, values[i]);
		assert_true(av_get_u64(a) == values[i]);
		av_put_u32(b, (uint32_t)values[i]);
		assert_true(av_get_u32(b) == (uint32_t)values[i]);
		for (size_t k = 0; k < i; k++) {
			av_put_u64(b, values[k]);
			assert_true(memcmp(b, a, 8) < 0);
		}
	}
	av_put_u64(a, UINT64_C(0x0102030405060708));
	assert_memory_equal(a, "\1\2\3\4\5\6\7\10", 8);
}

static void slices_are_equal_by_content(void **state)
{
	AV_UNUSED(state);
	assert_true(av_bytes_equal(av_bytes_of("abc"), av_bytes("abcd", 3)));
	assert_false(av_bytes_equal(av_bytes_of("abc"), av_bytes_of("abd")));
	assert_false(av_bytes_equal(av_bytes_of("abc"), av_bytes_of("ab")));
	assert_true(av_bytes_equal(av_bytes(NULL, 0), av_bytes_of("")));
}

static void freep_frees_and_clears_and_take_hands_on(void **state)
{
	char *text = strdup("x"), *taken;
	int *none = NULL;

	AV_UNUSED(state);
	taken = AV_TAKE(text);
	assert_null(text);
	assert_string_equal(taken, "x");
	av_freep(&taken);
	assert_null(taken);
	av_freep(&none);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_a_text_and_a_name_of_its_own),
		cmocka_unit_test(an_arena_hands_out_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(an_arena_at_its_limit_answers_null_and_remembers_until_reset),
		cmocka_unit_test(an_arena_refuses_sizes_that_would_overflow),
		cmocka_unit_test(a_large_request_does_not_waste_the_block_being_filled),
		cmocka_unit_test(an_arena_zeroes_copies_and_prints),
		cmocka_unit_test(hex_goes_there_and_back_for_every_byte),
		cmocka_unit_test(hex_that_is_not_exact_is_refused_and_writes_nothing),
		cmocka_unit_test(big_endian_numbers_sort_as_their_values),
		cmocka_unit_test(slices_are_equal_by_content),
		cmocka_unit_test(freep_frees_and_clears_and_take_hands_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
