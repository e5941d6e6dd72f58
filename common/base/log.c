/* log.c - key=value lines on standard error
 *
 * A line is built whole and written with one write(2), so that lines of several threads and processes do not
 * mix. The pairs are formatted in one go, with the blanks of the format replaced by a byte that no UTF-8 text
 * contains: so a value may hold blanks, quotes and line ends, and is quoted, while the pairs still come
 * apart. (A blank as printf flag, "% d", is therefore not for logs.)
 */
#include "base/log.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES 2048 /* below PIPE_BUF, so that a pipe takes it whole */
#define BETWEEN '\xff'

/* clang-format off */
static const struct { const char *name; char priority; } levels[] = {
	[AV_LOG_DEBUG] = { "debug", '7' }, /* sd-daemon(3) */
	[AV_LOG_INFO]  = { "info",  '6' },
	[AV_LOG_WARN]  = { "warn",  '4' },
	[AV_LOG_ERROR] = { "error", '3' },
};
/* clang-format on */

static const char *log_daemon = "avvik";
static enum av_log_level log_lowest = AV_LOG_INFO;
static bool log_to_journal;

struct line {
	char text[LINE_BYTES];
	size_t length;
};

/* Two bytes stay free for a closing quote and the line end. */
static void put(struct line *line, char c)
{
	if (line->length < LINE_BYTES - 2)
		line->text[line->length++] = c;
}

static void put_text(struct line *line, const char *text)
{
	while (*text)
		put(line, *text++);
}

static void put_quoted(struct line *line, const char *text, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	put(line, '"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (line->length + 6 > LINE_BYTES - 2)
			break; /* the closing quote must come, and no escape be cut */
		if (c == '"' || c == '\\') {
			put(line, '\\');
			put(line, (char)c);
		} else if (c < ' ' || c == 0x7f) {
			put_text(line, "\\x");
			put(line, digits[c >> 4]);
			put(line, digits[c & 15]);
		} else {
			put(line, (char)c);
		}
	}
	line->text[line->length++] = '"';
}

static bool is_plain(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f)
			return false;
	}
	return size > 0;
}

static void put_pairs(struct line *line, char *pairs)
{
	char *rest = pairs, *pair;
	static const char between[] = {BETWEEN, '\0'};

	while ((pair = strsep(&rest, between)) != NULL) {
		char *value = strchr(pair, '=');
		size_t size;
		if (!value)
			continue; /* two blanks, or the end that a long line lost */
		*value++ = '\0';
		size = strlen(value);
		if (line->length + strlen(pair) + AV_MIN(size, 8) + 4 > LINE_BYTES - 2)
			return;
		put(line, ' ');
		put_text(line, pair);
		put(line, '=');
		if (!is_plain(value, size))
			put_quoted(line, value, size);
		else
			put_text(line, value);
	}
}

void av_log_open(const char *daemon, enum av_log_level lowest)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat info;

	log_daemon = daemon;
	log_lowest = lowest;
	/* The variable is inherited; only when it names our standard error does the journal read it. */
	log_to_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
			 fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

int av_log_level_parse(const char *text, enum av_log_level *ret_level)
{
	for (size_t i = 0; i < AV_COUNT(levels); i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*ret_level = (enum av_log_level)i;
			return AV_OK;
		}
	}
	return AV_INVALID;
}

void av_log(enum av_log_level level, const char *message, const char *pairs_format, ...)
{
	char format[LINE_BYTES / 2], pairs[LINE_BYTES];
	struct line line = {.length = 0};
	va_list args;

	if (level < log_lowest)
		return;
	if (log_to_journal) {
		put(&line, '<');
		put(&line, levels[level].priority);
		put(&line, '>');
	}
	put_text(&line, "level=");
	put_text(&line, levels[level].name);
	put_text(&line, " daemon=");
	put_text(&line, log_daemon);
	put_text(&line, " msg=");
	put_quoted(&line, message, strlen(message));

	snprintf(format, sizeof(format), "%s", pairs_format);
	for (char *c = format; *c; c++) {
		if (*c == ' ')
			*c = BETWEEN;
	}
	va_start(args, pairs_format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
	"-Wformat-nonliteral" /* the caller's own format was checked; only its blanks differ */
	if (vsnprintf(pairs, sizeof(pairs), format, args) > 0)
		put_pairs(&line, pairs);
#pragma GCC diagnostic pop
	va_end(args);

	line.text[line.length++] = '\n';
	if (write(STDERR_FILENO, line.text, line.length) < 0)
		return; /* nobody is left to be told, ignoring */
}
