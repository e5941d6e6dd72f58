/* notification_mail.c - the message: headers that every mail program reads, a body that survives every
 * server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/date.h"
#include "base/macros.h"
#include "mail.h"

static struct av_arena *arena;

static int start(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	return arena ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

static struct mail plain(void)
{
	return (struct mail){.from = "avvik@lindaker.se",
		.from_name = "Avvik",
		.to = "anna@lindaker.se",
		.to_name = "Anna Berg",
		.subject = "Hello",
		.body = "Hi\n",
		.message_id = "x@lindaker.se",
		.date_ms = av_local_instant(20550, 9 * 3600000)};
}

static char *text_of(const struct mail *mail)
{
	struct av_bytes built = mail_build(mail, arena);
	char *text = av_arena_zalloc(arena, built.size + 1);
	memcpy(text, built.data, built.size);
	return text;
}

static void check_lines(const char *text)
{
	for (const char *line = text; *line;) {
		const char *end = strstr(line, "\r\n");
		if (!end)
			fail_msg("a line without CR LF: %s", line);
		if (end - line > 76)
			fail_msg("a line of %td characters: %.*s", end - line, (int)(end - line), line);
		for (const char *at = line; at < end; at++)
			if ((unsigned char)*at >= 0x7f || *at == '\n' || *at == '\r')
				fail_msg("a byte that is no plain ASCII in: %.*s", (int)(end - line), line);
		line = end + 2;
	}
}

/* The value of a header, unfolded, encoded words decoded. */
static int digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c);
	return at && c ? (int)(at - digits) : -1;
}

static const char *header(const char *text, const char *name)
{
	const char *at = strstr(text, av_arena_printf(arena, "%s: ", name));
	assert_non_null(at);
	char *value = av_arena_zalloc(arena, strlen(at) + 1), *to = value;
	bool word_before = false;
	for (at += strlen(name) + 2; strncmp(at, "\r\n", 2) != 0 || at[2] == ' ';) {
		if (strncmp(at, "\r\n ", 3) == 0) {
			if (!word_before)
				*to++ = ' ';
			at += 3;
			continue;
		}
		word_before = strncmp(at, "=?UTF-8?B?", 10) == 0;
		if (!word_before) {
			*to++ = *at++;
			continue;
		}
		unsigned int bits = 0, have = 0;
		for (at += 10; strncmp(at, "?=", 2) != 0; at++) {
			if (digit(*at) < 0)
				continue;
			bits = bits << 6 | (unsigned int)digit(*at);
			have += 6;
			if (have >= 8) {
				have -= 8;
				*to++ = (char)(bits >> have);
				bits &= (1u << have) - 1;
			}
		}
		at += 2;
	}
	return value;
}

static void a_mail_has_the_headers_that_are_needed(void **state)
{
	(void)state;
	struct mail mail = plain();
	char *text = text_of(&mail);

	check_lines(text);
	assert_string_equal(header(text, "Date"), "Tue, 07 Apr 2026 09:00:00 +0200");
	assert_string_equal(header(text, "From"), "\"Avvik\" <avvik@lindaker.se>");
	assert_string_equal(header(text, "To"), "\"Anna Berg\" <anna@lindaker.se>");
	assert_string_equal(header(text, "Message-ID"), "<x@lindaker.se>");
	assert_string_equal(header(text, "Subject"), "Hello");
	assert_string_equal(header(text, "Auto-Submitted"), "auto-generated");
	assert_string_equal(header(text, "Content-Type"), "text/plain; charset=utf-8");
	assert_string_equal(header(text, "Content-Transfer-Encoding"), "quoted-printable");
	assert_non_null(strstr(text, "\r\n\r\nHi\r\n"));
}

static void a_swedish_subject_is_encoded_in_short_whole_words(void **state)
{
	(void)state;
	static const char *const subjects[] = {
		"Ärende",
		"Snart sista dag: lämna in utredningen till IVO, ärende 2026-0042",
		"åäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäöåäö",
		"a word that is so long that it cannot be folded: "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"plain words that go on for longer than one line of a header may be, and are folded at "
		"spaces in between",
		"=?UTF-8?B?forged?=",
		"",
	};
	for (size_t i = 0; i < AV_COUNT(subjects); i++) {
		struct mail mail = plain();
		mail.subject = subjects[i];
		char *text = text_of(&mail);
		check_lines(text);
		assert_string_equal(header(text, "Subject"), subjects[i]);
	}
	/* every length, so that each place of a two-byte character in a word is met */
	for (size_t size = 1; size < 120; size++) {
		struct mail mail = plain();
		char *subject = av_arena_printf(arena, "%.*säö", (int)size,
			"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdef"
			"ghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
		mail.subject = subject;
		char *text = text_of(&mail);
		check_lines(text);
		assert_string_equal(header(text, "Subject"), subject);
	}
}

static void no_value_can_add_a_header(void **state)
{
	(void)state;
	struct mail mail = plain();

	mail.subject = "Hello\r\nBcc: eve@example.org";
	mail.to_name = "Anna\nBcc: eve@example.org";
	mail.from_name = "\"A\" <eve@example.org>,";
	mail.message_id = "x>\r\nBcc: eve@example.org";
	char *text = text_of(&mail);
	check_lines(text);
	assert_null(strstr(text, "\nBcc:"));
	assert_string_equal(header(text, "Subject"), "Hello  Bcc: eve@example.org");
	assert_null(strstr(text, "<eve@"));
}

/* Quoted-printable back to text. */
static const char *decoded(const char *text)
{
	const char *at = strstr(text, "\r\n\r\n") + 4;
	char *body = av_arena_zalloc(arena, strlen(at) + 1), *to = body;

	while (*at) {
		unsigned int byte;
		if (strncmp(at, "=\r\n", 3) == 0) {
			at += 3;
		} else if (*at == '=') {
			char hex[3] = {at[1], at[2], '\0'};
			byte = (unsigned int)strtoul(hex, NULL, 16);
			*to++ = (char)byte;
			at += 3;
		} else if (strncmp(at, "\r\n", 2) == 0) {
			*to++ = '\n';
			at += 2;
		} else {
			*to++ = *at++;
		}
	}
	return body;
}

static void a_body_comes_back_as_it_was(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"Hej Åsa,\n\nsista dagen är måndag 22 juni 2026.\n",
		"a=b\n= at the start\nspace at the end \ntab at the end\t\n.\n..\nFrom here\n",
		"\n\n\n",
		"",
	};
	for (size_t i = 0; i < AV_COUNT(bodies); i++) {
		struct mail mail = plain();
		mail.body = bodies[i];
		char *text = text_of(&mail);
		check_lines(text);
		assert_string_equal(decoded(text), bodies[i]);
		assert_null(strstr(text, " \r\n"));
	}
	for (size_t size = 60; size < 240; size++) {
		struct mail mail = plain();
		char *body = av_arena_zalloc(arena, 2 * size + 2);
		for (size_t i = 0; i < size; i++)
			strcat(body, i % 7 ? "x" : "å");
		strcat(body, "\n");
		mail.body = body;
		char *text = text_of(&mail);
		check_lines(text);
		assert_string_equal(decoded(text), body);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mail_has_the_headers_that_are_needed),
		T(a_swedish_subject_is_encoded_in_short_whole_words),
		T(no_value_can_add_a_header),
		T(a_body_comes_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
