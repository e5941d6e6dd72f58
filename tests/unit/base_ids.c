/* base_ids.c - randomness and identifiers */
#include "base/bytes.h"
#include "base/ids.h"
#include "base/macros.h"
#include "base/random.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_seeded_stream_is_xoshiro256starstar(void **state)
{
	/* The outputs that the authors' reference gives for the state 1, 2, 3, 4. */
	static const uint64_t want[] = {UINT64_C(11520), 0, UINT64_C(1509978240),
		UINT64_C(1215971899390074240), UINT64_C(1216172134540287360), UINT64_C(607988272756665600),
		UINT64_C(16172922978634559625), UINT64_C(8476171486693032832), UINT64_C(10595114339597558777),
		UINT64_C(2904607092377533576)};
	struct av_random random = av_random_seeded(0);

	AV_UNUSED(state);
	assert_true(random.state[0] == UINT64_C(0xe220a8397b1dcdaf)); /* splitmix64 from 0 */
	assert_true(random.state[1] == UINT64_C(0x6e789e6aa1b965f4));
	for (uint64_t i = 0; i < 4; i++)
		random.state[i] = i + 1;
	for (size_t i = 0; i < AV_COUNT(want); i++) {
		uint64_t got = av_random_u64(&random);
		if (got != want[i])
			fail_msg("output %zu: got %llu want %llu", i, (unsigned long long)got,
				(unsigned long long)want[i]);
	}
}

static void the_same_seed_gives_the_same_stream_and_another_does_not(void **state)
{
	struct av_random a = av_random_seeded(42), b = av_random_seeded(42), c = av_random_seeded(43);
	unsigned char one[1000], two[1000], three[1000];

	AV_UNUSED(state);
	for (size_t size = 1; size <= sizeof(one); size = size * 3 + 1) {
		av_random_fill(&a, one, size);
		av_random_fill(&b, two, size);
		assert_memory_equal(one, two, size);
	}
	av_random_fill(&a, one, sizeof(one));
	av_random_fill(&c, three, sizeof(three));
	assert_memory_not_equal(one, three, sizeof(one));
}

static void the_system_source_never_repeats_whatever_the_sizes(void **state)
{
	static unsigned char seen[4000][16];
	struct av_random random = av_random_system(), other = av_random_system();
	unsigned char large[700];

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(seen); i++) {
		if (i % 3 == 0)
			av_random_fill(&random, large, 1 + i * 37 % sizeof(large));
		av_random_fill(i % 5 == 0 ? &other : &random, seen[i], sizeof(seen[i]));
	}
	for (size_t i = 0; i < AV_COUNT(seen); i++) {
		for (size_t k = 0; k < i; k++) {
			if (memcmp(seen[i], seen[k], sizeof(seen[i])) == 0)
				fail_msg("draws %zu and %zu are the same", k, i);
		}
	}
	/* What has been given away is wiped. */
	for (size_t i = random.pool_left; i < sizeof(random.pool); i++)
		assert_int_equal(random.pool[i], 0);
}

static void below_is_below_and_even(void **state)
{
	struct av_random random = av_random_seeded(7);
	int counts[6] = {0}, lower = 0;

	AV_UNUSED(state);
	for (int i = 0; i < 60000; i++)
		counts[av_random_below(&random, 6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(counts[i], 9600, 10400);
	for (int i = 0; i < 1000; i++) {
		uint64_t below = UINT64_MAX / 3 * 2; /* where a plain remainder would be most uneven */
		uint64_t value = av_random_below(&random, below);
		assert_true(value < below);
		lower += value < below / 2;
		assert_int_equal(av_random_below(&random, 1), 0);
	}
	assert_in_range(lower, 430, 570);
}

static void ids_never_go_backwards_whatever_the_clock_does(void **state)
{
	struct av_random random = av_random_seeded(1);
	struct av_id_source source = {0};
	struct av_id before = {{0}}, id;
	int64_t now = INT64_C(1775000000000);

	AV_UNUSED(state);
	for (int i = 0; i < 200000; i++) {
		switch (av_random_below(&random, 50)) {
		case 0:
			now -= (int64_t)av_random_below(&random, 100000);
			break;
		case 1:
		case 2:
			now += (int64_t)av_random_below(&random, 60000);
			break;
		}
		id = av_id_next(&source, now, &random);
		if (memcmp(before.bytes, id.bytes, AV_ID_SIZE) >= 0)
			fail_msg("id %d is not above the one before", i);
		assert_true(av_id_ms(&id) >= now);
		before = id;
	}
}

static void ids_are_rfc_9562_version_7_with_the_millisecond(void **state)
{
	static const int64_t times[] = {
		1, INT64_C(1645557742000), INT64_C(1775000000123), (INT64_C(1) << 48) - 1};
	struct av_random random = av_random_seeded(1);

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(times); i++) {
		struct av_id_source source = {0};
		struct av_id id = av_id_next(&source, times[i], &random);

		assert_int_equal(av_id_ms(&id), times[i]);
		assert_int_equal(id.bytes[6] >> 4, 7);
		assert_int_equal(id.bytes[8] >> 6, 2);
	}
}

static void times_outside_48_bits_are_read_as_the_nearest(void **state)
{
	struct av_random random = av_random_seeded(1);
	struct av_id_source low = {0}, high = {0};
	struct av_id id = av_id_next(&low, INT64_MIN, &random);

	AV_UNUSED(state);
	assert_int_equal(av_id_ms(&id), 0);
	id = av_id_next(&high, INT64_MAX, &random);
	assert_int_equal(av_id_ms(&id), (INT64_C(1) << 48) - 1);
	assert_int_equal(id.bytes[6] >> 4, 7);
}

static void the_counter_spills_into_the_next_millisecond(void **state)
{
	struct av_random random = av_random_seeded(1);
	struct av_id_source source = {.last_ms = 1000, .counter = UINT32_MAX - 1};
	struct av_id last = av_id_next(&source, 1000, &random), spilt = av_id_next(&source, 1000, &random);

	AV_UNUSED(state);
	assert_int_equal(av_id_ms(&last), 1000);
	assert_int_equal(last.bytes[6], 0x7f);
	assert_int_equal(last.bytes[7], 0xff);
	assert_int_equal(last.bytes[8], 0xbf);
	assert_int_equal(av_id_ms(&spilt), 1001);
	assert_true(memcmp(last.bytes, spilt.bytes, AV_ID_SIZE) < 0);
}

static void the_same_seed_gives_the_same_ids(void **state)
{
	struct av_random a = av_random_seeded(5), b = av_random_seeded(5);
	struct av_id_source one = {0}, two = {0};

	AV_UNUSED(state);
	for (int i = 0; i < 1000; i++) {
		struct av_id x = av_id_next(&one, 1000 + i / 3, &a), y = av_id_next(&two, 1000 + i / 3, &b);
		assert_memory_equal(x.bytes, y.bytes, AV_ID_SIZE);
	}
}

static void an_id_goes_to_text_and_back(void **state)
{
	static const char *const text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"; /* the example of RFC 9562 */
	struct av_random random = av_random_seeded(9);
	struct av_id_source source = {0};
	struct av_id id, back;
	char got[AV_ID_TEXT];

	AV_UNUSED(state);
	assert_int_equal(av_id_parse(text, &id), AV_OK);
	assert_true(av_id_ms(&id) == INT64_C(1645557742000));
	av_id_text(&id, got);
	assert_string_equal(got, text);
	assert_int_equal(av_id_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &back), AV_OK);
	assert_memory_equal(back.bytes, id.bytes, AV_ID_SIZE);
	for (int i = 0; i < 1000; i++) {
		id = av_id_next(&source, i, &random);
		av_id_text(&id, got);
		assert_int_equal(av_id_parse(got, &back), AV_OK);
		assert_memory_equal(back.bytes, id.bytes, AV_ID_SIZE);
	}
}

static void what_is_no_uuid_is_refused(void **state)
{
	static const char *const bad[] = {"", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4_dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		"-17f22e2-79b0-7cc3-98c4-dc0c0c07398f"};
	struct av_id id = {{1}};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		if (av_id_parse(bad[i], &id) != AV_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(id.bytes[0], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seeded_stream_is_xoshiro256starstar),
		cmocka_unit_test(the_same_seed_gives_the_same_stream_and_another_does_not),
		cmocka_unit_test(the_system_source_never_repeats_whatever_the_sizes),
		cmocka_unit_test(below_is_below_and_even),
		cmocka_unit_test(ids_never_go_backwards_whatever_the_clock_does),
		cmocka_unit_test(ids_are_rfc_9562_version_7_with_the_millisecond),
		cmocka_unit_test(times_outside_48_bits_are_read_as_the_nearest),
		cmocka_unit_test(the_counter_spills_into_the_next_millisecond),
		cmocka_unit_test(the_same_seed_gives_the_same_ids),
		cmocka_unit_test(an_id_goes_to_text_and_back),
		cmocka_unit_test(what_is_no_uuid_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
