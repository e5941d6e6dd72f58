/* mail.c - one message as RFC 5322 and MIME ask. */
#include "mail.h"

#include <stdio.h>
#include <string.h>
#include "base/date.h"

#define LINE_MAX_CHARACTERS 76
#define WORD_BYTES 42 /* of text in an encoded word: 56 in base64, 68 with "=?UTF-8?B?" and "?=" */

struct text {
	struct av_arena *arena;
	char *data;
	size_t size, room;
	bool failed;
};

static void put_bytes(struct text *text, const char *data, size_t size)
{
	if (text->failed)
		return;
	if (text->size + size + 1 > text->room) {
		size_t room = (text->size + size + 1) * 2;
		char *larger = av_arena_alloc(text->arena, room);
		if (!larger) {
			text->failed = true;
			return;
		}
		if (text->size)
			memcpy(larger, text->data, text->size);
		text->data = larger;
		text->room = room;
	}
	memcpy(text->data + text->size, data, size);
	text->size += size;
}

static void put(struct text *text, const char *data)
{
	put_bytes(text, data, strlen(data));
}

/* --- headers --- */

static bool plain(const char *value)
{
	for (const unsigned char *at = (const unsigned char *)value; *at; at++)
		if (*at < 0x20 || *at >= 0x7f)
			return false;
	/* What looks like an encoded word would be decoded by the reader. */
	return strstr(value, "=?") == NULL;
}

static void put_base64(struct text *text, const unsigned char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned int bits = (unsigned int)data[i] << 16 |
				    (left > 1 ? (unsigned int)data[i + 1] << 8 : 0) |
				    (left > 2 ? data[i + 2] : 0);
		char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
			left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '='};
		put_bytes(text, four, 4);
	}
}

/* Encoded words, each whole characters, folded so that no line grows beyond the limit. */
static void put_words(struct text *text, const char *value, size_t column)
{
	const unsigned char *at = (const unsigned char *)value;
	size_t left = strlen(value);
	size_t room = column + 12 < LINE_MAX_CHARACTERS ? (LINE_MAX_CHARACTERS - column - 12) / 4 * 3 : 0;
	bool first = true;

	while (left > 0) {
		size_t most = first && room < WORD_BYTES ? room : WORD_BYTES;
		size_t size = left < most ? left : most;
		while (size > 0 && size < left && (at[size] & 0xc0) == 0x80)
			size--;
		if (!first || size == 0)
			put(text, "\r\n ");
		first = false;
		if (size == 0) {
			room = WORD_BYTES;
			continue;
		}
		unsigned char clean[WORD_BYTES];
		for (size_t i = 0; i < size; i++)
			clean[i] = at[i] < 0x20 || at[i] == 0x7f ? ' ' : at[i];
		put(text, "=?UTF-8?B?");
		put_base64(text, clean, size);
		put(text, "?=");
		at += size;
		left -= size;
	}
}

/* Plain text is folded at spaces. */
static void put_folded(struct text *text, const char *value, size_t column)
{
	while (*value) {
		size_t word = strcspn(value, " "), spaces = strspn(value + word, " ");
		size_t size = word + spaces;
		put_bytes(text, value, size);
		column += size;
		value += size;
		size_t next = strcspn(value, " ");
		if (*value && spaces > 0 && column + next > LINE_MAX_CHARACTERS) {
			text->size -= text->failed ? 0 : 1; /* the last space becomes the fold */
			put(text, "\r\n ");
			column = 1;
		}
	}
}

/* A word longer than a line cannot be folded: it is encoded instead. */
static bool foldable(const char *value, size_t column)
{
	for (size_t at = column; *value;) {
		size_t word = strcspn(value, " ");
		if (at + word > LINE_MAX_CHARACTERS || word > LINE_MAX_CHARACTERS - 2)
			return false;
		at = 1;
		value += word + strspn(value + word, " ");
	}
	return true;
}

static void put_header(struct text *text, const char *name, const char *value)
{
	size_t column = strlen(name) + 2;

	put(text, name);
	put(text, ": ");
	if (plain(value) && foldable(value, column))
		put_folded(text, value, column);
	else
		put_words(text, value, column);
	put(text, "\r\n");
}

static void put_address_clean(struct text *text, const char *address)
{
	put(text, "<");
	for (; *address; address++)
		if ((unsigned char)*address > 0x20 && *address != 0x7f && *address != '<' && *address != '>')
			put_bytes(text, address, 1);
	put(text, ">");
}

static void put_mailbox(struct text *text, const char *name, const char *display, const char *address)
{
	size_t column = strlen(name) + 2;

	put(text, name);
	put(text, ": ");
	if (display && *display) {
		bool simple = plain(display) && strlen(display) + column < LINE_MAX_CHARACTERS - 2;
		for (const char *at = display; simple && *at; at++)
			simple = *at != '"' && *at != '\\';
		if (simple) {
			put(text, "\"");
			put(text, display);
			put(text, "\"");
		} else {
			put_words(text, display, column);
		}
		put(text, "\r\n ");
	}
	put_address_clean(text, address);
	put(text, "\r\n");
}

/* --- body --- */

static void put_quoted(struct text *text, const char *body)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t column = 0;

	for (const unsigned char *at = (const unsigned char *)body; *at; at++) {
		if (*at == '\n') {
			put(text, "\r\n");
			column = 0;
			continue;
		}
		if (*at == '\r')
			continue;
		bool last = at[1] == '\n' || at[1] == '\0' || at[1] == '\r';
		bool literal =
			(*at > 0x20 && *at < 0x7f && *at != '=') || ((*at == ' ' || *at == '\t') && !last);
		char code[3] = {'=', digits[*at >> 4], digits[*at & 15]};
		size_t size = literal ? 1 : 3;
		/* A character that ends the line may stand in column 76; else a soft break needs it. */
		if (column + size > (last ? LINE_MAX_CHARACTERS : LINE_MAX_CHARACTERS - 1)) {
			put(text, "=\r\n");
			column = 0;
		}
		put_bytes(text, literal ? (const char *)at : code, size);
		column += size;
	}
	if (column)
		put(text, "\r\n");
}

/* --- the message --- */

void mail_date(int64_t at_ms, char ret_text[MAIL_DATE_TEXT])
{
	static const char *const weekdays[] = {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char *const months[] = {
		"", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	av_day day = av_local_day(at_ms);
	struct av_date date = av_date_of(day);
	int seconds = av_local_ms_of_day(at_ms) / 1000, offset = av_utc_offset_ms(at_ms) / 60000;

	snprintf(ret_text, MAIL_DATE_TEXT, "%s, %02d %s %04d %02d:%02d:%02d +%02d%02d",
		weekdays[av_weekday(day)], date.day, months[date.month], date.year, seconds / 3600,
		seconds / 60 % 60, seconds % 60, offset / 60, offset % 60);
}

struct av_bytes mail_build(const struct mail *mail, struct av_arena *arena)
{
	struct text text = {.arena = arena};
	char date[MAIL_DATE_TEXT];

	mail_date(mail->date_ms, date);
	put_header(&text, "Date", date);
	put_mailbox(&text, "From", mail->from_name, mail->from);
	put_mailbox(&text, "To", mail->to_name, mail->to);
	put(&text, "Message-ID: ");
	put_address_clean(&text, mail->message_id);
	put(&text, "\r\n");
	put_header(&text, "Subject", mail->subject);
	put(&text, "Auto-Submitted: auto-generated\r\n"
		   "MIME-Version: 1.0\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: quoted-printable\r\n"
		   "Content-Language: sv\r\n"
		   "\r\n");
	put_quoted(&text, mail->body);
	return text.failed ? av_bytes(NULL, 0) : av_bytes(text.data, text.size);
}

const char *mail_message_id(const struct av_id *notice_id, const char *domain, struct av_arena *arena)
{
	char text[AV_ID_TEXT];

	av_id_text(notice_id, text);
	return av_arena_printf(arena, "%s@%s", text, domain);
}
