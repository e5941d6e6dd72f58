/* tool_document.c - the case document: no text becomes markup, elements close, and each value and event has its Swedish word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "avvik/v1/envelope.pb-c.h"
#include "base/macros.h"
#include "base/status.h"
#include "document_words.h"
#include "html.h"
#include "wire/message.h"

static const char *written(struct html *html, const char *text)
{
	struct av_bytes page;

	assert_int_equal(html_begin(html), AV_OK);
	html_text(html, text);
	assert_int_equal(html_end(html, &page), AV_OK);
	html->bytes[page.size - 1] = '\0'; /* without the last newline */
	return html->bytes;
}

static void test_text_never_becomes_markup(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"Räksmörgås åäö", "Räksmörgås åäö"},
		{"<script>alert(\"x\")</script>", "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"},
		{"' onload='x", "&#39; onload=&#39;x"},
		{"&lt; is &amp;lt;", "&amp;lt; is &amp;amp;lt;"},
		{"one\ttab, two\nlines", "one\ttab, two\nlines"},
		{"dos\r\nmac\rend", "dos\nmac\nend"},
		{"bell\a esc\x1b del\x7f", "bell[U+0007] esc[U+001B] del[U+007F]"},
		{"c1\xc2\x85.", "c1[U+0085]."},
		{"\xe2\x80\xae"
		 "gnp.exe",
			"[U+202E]gnp.exe"},
		{"a\xe2\x81\xa6"
		 "b\xe2\x81\xa9"
		 "c\xe2\x80\x8f"
		 "d\xd8\x9c",
			"a[U+2066]b[U+2069]c[U+200F]d[U+061C]"},
		{"zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero[U+200B]width[U+FEFF]"},
		{"tag\xf3\xa0\x81\x81", "tag[U+E0041]"},
		{"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac",
			"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac"},
		{"overlong \xc0\xbc.", "overlong \xef\xbf\xbd\xef\xbf\xbd."},
		{"surrogate \xed\xa0\x80.", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."},
		{"cut \xe2\x80", "cut \xef\xbf\xbd\xef\xbf\xbd"},
		{"latin \xe5.", "latin \xef\xbf\xbd."},
		{NULL, ""},
	};
	AV_UNUSED(state);

	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct html html;
		const char *got = written(&html, rows[i].text);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: got \"%s\", want \"%s\"", i, got, rows[i].want);
		html_finish(&html);
	}
}

/* Every sequence of two bytes between two letters: what comes out has no markup of its own and no control character. */
static void test_any_bytes_come_out_harmless(void **state)
{
	AV_UNUSED(state);

	for (unsigned int pair = 0x0101; pair <= 0xffff; pair++) {
		char text[] = {'a', (char)(pair >> 8), (char)(pair & 0xff), 'z', '\0'};
		struct html html;
		if (!text[1] || !text[2])
			continue;
		const char *got = written(&html, text);
		if (got[0] != 'a' || got[strlen(got) - 1] != 'z' || strpbrk(got, "<>\"'"))
			fail_msg("%04x: got \"%s\", want text between a and z", pair, got);
		for (const char *at = got; *at; at++)
			if ((unsigned char)*at < 0x20 && *at != '\t' && *at != '\n')
				fail_msg("%04x: got a control character", pair);
		html_finish(&html);
	}
}

static void test_elements_close(void **state)
{
	struct html html;
	struct av_bytes page;
	AV_UNUSED(state);

	assert_int_equal(html_begin(&html), AV_OK);
	html_open(&html, "table class=\"facts\"");
	html_open(&html, "tbody");
	html_open(&html, "tr");
	html_element(&html, "td", "<a>");
	html_close(&html, "table"); /* and what is open in it */
	html_close(&html, "table"); /* nothing is: nothing happens */
	html_open(&html, "p");
	html_open(&html, "em");
	assert_int_equal(html_end(&html, &page), AV_OK);
	html.bytes[page.size - 1] = '\0';
	assert_string_equal(html.bytes,
		"\n<table class=\"facts\">\n<tbody>\n<tr>\n<td>&lt;a&gt;</td></tr></tbody></table><p>"
		"\n<em></em></p>");
	html_finish(&html);
	html_finish(&html); /* a zeroed one */
}

/* --- words --- */

static void values_have_words(const ProtobufCEnumDescriptor *type)
{
	for (unsigned int i = 0; i < type->n_values; i++) {
		int value = type->values[i].value;
		const char *word = document_word(type, value);
		if (value == 0)
			assert_string_equal(word, "");
		else if (strcmp(word, av_enum_name(type, value)) == 0 &&
			 strcmp(word, "man") != 0) /* the same in both */
			fail_msg("document_words.c has no Swedish word for %s", type->values[i].name);
	}
}

static void test_each_value_has_a_word(void **state)
{
	AV_UNUSED(state);
	values_have_words(&avvik__v1__case_kind__descriptor);
	values_have_words(&avvik__v1__case_state__descriptor);
	values_have_words(&avvik__v1__ivo_state__descriptor);
	values_have_words(&avvik__v1__handled__descriptor);
	values_have_words(&avvik__v1__measure_state__descriptor);
	values_have_words(&avvik__v1__entry_nature__descriptor);
	values_have_words(&avvik__v1__degree__descriptor);
	values_have_words(&avvik__v1__law__descriptor);
	values_have_words(&avvik__v1__report_type__descriptor);
	values_have_words(&avvik__v1__concerns__descriptor);
	values_have_words(&avvik__v1__sex__descriptor);
	values_have_words(&avvik__v1__operation__descriptor);
	values_have_words(&avvik__v1__deadline_state__descriptor);
}

/* Each event of intake (100-) and of workflow (200-) that is about a case, and each enum among the fields that are told. */
static void test_each_event_has_a_word(void **state)
{
	const ProtobufCMessageDescriptor *event = &avvik__v1__event__descriptor;
	AV_UNUSED(state);

	for (unsigned int i = 0; i < event->n_fields; i++) {
		const ProtobufCMessageDescriptor *body = event->fields[i].descriptor;
		if (event->fields[i].id < 100 || event->fields[i].id >= 300)
			continue;
		if (strstr(body->short_name, "Published") || strcmp(body->short_name, "RulesApplied") == 0)
			continue; /* of no case */
		if (!*document_kind(body->short_name)->message)
			fail_msg("document_words.c has no title for %s", body->short_name);
		for (unsigned int k = 0; k < body->n_fields; k++)
			if (body->fields[k].type == PROTOBUF_C_TYPE_ENUM &&
				document_field_word(body->fields[k].name))
				values_have_words(body->fields[k].descriptor);
	}
}

static void test_there_are_ten_items(void **state)
{
	AV_UNUSED(state);
	for (unsigned int item = 1; item <= 10; item++)
		assert_true(strlen(document_item(item)) > 10);
	assert_string_equal(document_item(11), "");
	assert_string_equal(document_item(0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_never_becomes_markup),
		cmocka_unit_test(test_any_bytes_come_out_harmless),
		cmocka_unit_test(test_elements_close),
		cmocka_unit_test(test_each_value_has_a_word),
		cmocka_unit_test(test_each_event_has_a_word),
		cmocka_unit_test(test_there_are_ten_items),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
