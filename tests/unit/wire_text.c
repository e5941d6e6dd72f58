/* wire_text.c - which bytes may stand in a text; numbers, paths, near names */
#include "wire_samples.h"

#include "wire/nearest.h"
#include "wire/text.h"

/* UTF-8 of one code point by the definition, without the rules that the code under test knows. */
static size_t encode(uint32_t point, unsigned char to[4])
{
	if (point < 0x80)
		return to[0] = (unsigned char)point, 1;
	if (point < 0x800)
		return to[0] = (unsigned char)(0xc0 | point >> 6),
		       to[1] = (unsigned char)(0x80 | (point & 63)), 2;
	if (point < 0x10000)
		return to[0] = (unsigned char)(0xe0 | point >> 12),
		       to[1] = (unsigned char)(0x80 | (point >> 6 & 63)),
		       to[2] = (unsigned char)(0x80 | (point & 63)), 3;
	to[0] = (unsigned char)(0xf0 | point >> 18);
	to[1] = (unsigned char)(0x80 | (point >> 12 & 63));
	to[2] = (unsigned char)(0x80 | (point >> 6 & 63));
	to[3] = (unsigned char)(0x80 | (point & 63));
	return 4;
}

static void every_code_point_is_judged_alone_and_among_eight_plain_ones(void **state)
{
	AV_UNUSED(state);
	for (uint32_t point = 0; point < 0x120000; point++) {
		unsigned char text[32];
		bool surrogate = point >= 0xd800 && point < 0xe000,
		     control = point < 0x20 || (point >= 0x7f && point < 0xa0);
		enum av_text_fault want = AV_TEXT_FINE;
		if (point == 0)
			want = AV_TEXT_NUL;
		else if (surrogate || point > 0x10ffff)
			want = AV_TEXT_NOT_UTF8;
		else if (control && point != '\t' && point != '\n' && point != '\r')
			want = AV_TEXT_CONTROL;
		size_t size = encode(point, text);
		enum av_text_fault alone = av_text_check(text, size);
		memset(text, 'a', sizeof text);
		encode(point, text + point % 11);
		enum av_text_fault among = av_text_check(text, 24);
		if (alone != want || among != want)
			fail_msg("U+%04X: got %d and %d want %d", point, alone, among, want);
	}
}

static void every_pair_of_bytes_is_judged_as_by_the_definition(void **state)
{
	AV_UNUSED(state);
	for (unsigned a = 0x80; a < 0x100; a++) {
		for (unsigned b = 0; b < 0x100; b++) {
			unsigned char pair[2] = {(unsigned char)a, (unsigned char)b}, again[4];
			uint32_t point = (a & 0x1f) << 6 | (b & 0x3f);
			bool fine = (a & 0xe0) == 0xc0 && (b & 0xc0) == 0x80 && encode(point, again) == 2;
			enum av_text_fault want = !fine		 ? AV_TEXT_NOT_UTF8
						  : point < 0xa0 ? AV_TEXT_CONTROL
								 : AV_TEXT_FINE;
			if (av_text_check(pair, 2) != want)
				fail_msg("%02x %02x: got %d want %d", a, b, av_text_check(pair, 2), want);
		}
	}
}

static void numbers_are_grouped_by_three(void **state)
{
	static const struct {
		uint64_t number;
		const char *want;
	} rows[] = {{0, "0"}, {7, "7"}, {999, "999"}, {1000, "1 000"}, {41200, "41 200"},
		{1000000, "1 000 000"}, {UINT64_MAX, "18 446 744 073 709 551 615"}};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		char got[AV_NUMBER_TEXT];
		assert_string_equal(av_number_text(rows[i].number, got), rows[i].want);
	}
}

static void a_path_says_names_and_places_and_no_odd_letters(void **state)
{
	struct av_step units = {NULL, "units", 3}, code = {&units, "code", -1},
		       odd = {&units, "f\xc3\xb6\n.x", -1};
	char longer[200];
	memset(longer, 'k', sizeof longer);
	longer[199] = '\0';
	struct av_step long_name = {&units, longer, 123456};
	assert_string_equal(av_path_text(NULL, *state), "");
	assert_string_equal(av_path_text(&units, *state), "units[3]");
	assert_string_equal(av_path_text(&code, *state), "units[3].code");
	assert_string_equal(av_path_text(&odd, *state), "units[3].f????x");
	assert_string_equal(av_path_text(&long_name, *state),
		"units[3].kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk[123456]");
}

static void the_nearest_name_is_the_one_meant(void **state)
{
	static const char *const names[] = {
		"unit", "units", "occurred_from_at", "noticed_at", "laws", "narrative"};
	static const struct {
		const char *wanted, *want;
	} rows[] = {{"untis", "units"}, {"uint", "unit"}, {"law", "laws"},
		{"occured_from_at", "occurred_from_at"}, {"notice_at", "noticed_at"},
		{"narrativ", "narrative"}, {"zzz", NULL}, {"", NULL},
		{"a_key_that_is_much_longer_than_any_name_that_there_is_here", NULL}};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_nearest nearest = {.wanted = rows[i].wanted};
		av_nearest_try(&nearest, NULL);
		for (size_t n = 0; n < AV_COUNT(names); n++)
			av_nearest_try(&nearest, names[n]);
		const char *got = nearest.found ? nearest.found : "none",
			   *want = rows[i].want ? rows[i].want : "none";
		if (strcmp(got, want) != 0)
			fail_msg("%s: got %s want %s", rows[i].wanted, got, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_judged_alone_and_among_eight_plain_ones),
		cmocka_unit_test(every_pair_of_bytes_is_judged_as_by_the_definition),
		cmocka_unit_test(numbers_are_grouped_by_three),
		cmocka_unit_test_setup_teardown(
			a_path_says_names_and_places_and_no_odd_letters, sample_setup, sample_teardown),
		cmocka_unit_test(the_nearest_name_is_the_one_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
