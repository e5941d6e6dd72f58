/* html.c - an HTML page in memory. */
#include "html.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/status.h"

int html_begin(struct html *html)
{
	*html = (struct html){.depth = 0};
	html->out = open_memstream(&html->bytes, &html->size);
	return html->out ? AV_OK : AV_MEMORY;
}

static void close_innermost(struct html *html)
{
	fprintf(html->out, "</%s>", html->open[--html->depth]);
}

int html_end(struct html *html, struct av_bytes *ret_page)
{
	while (html->depth)
		close_innermost(html);
	fputc('\n', html->out);
	if (fflush(html->out) != 0 || ferror(html->out))
		return AV_MEMORY;
	*ret_page = av_bytes(html->bytes, html->size);
	return AV_OK;
}

void html_finish(struct html *html)
{
	if (html->out)
		fclose(html->out);
	free(html->bytes);
	*html = (struct html){.depth = 0};
}

void html_literal(struct html *html, const char *markup)
{
	fputs(markup, html->out);
}

void html_open(struct html *html, const char *element)
{
	size_t size = strcspn(element, " ");

	if (html->depth == HTML_DEPTH || size >= sizeof html->open[0])
		abort(); /* the program's own words: a test makes each page */
	fprintf(html->out, "%s<%s>", size > 1 ? "\n" : "", element);
	memcpy(html->open[html->depth], element, size);
	html->open[html->depth++][size] = '\0';
}

void html_close(struct html *html, const char *tag)
{
	bool found = false;

	for (unsigned int i = 0; i < html->depth; i++)
		found = found || strcmp(html->open[i], tag) == 0;
	while (found && strcmp(html->open[html->depth - 1], tag) != 0)
		close_innermost(html);
	if (found)
		close_innermost(html);
}

void html_element(struct html *html, const char *element, const char *text)
{
	unsigned int depth = html->depth;

	html_open(html, element);
	html_text(html, text);
	while (html->depth > depth)
		close_innermost(html);
}

/* One character of UTF-8 in its shortest form; 0 bytes: what stands there is none. */
static size_t decode(const unsigned char *text, uint32_t *ret_character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = *text < 0x80	 ? 1
		      : *text >> 5 == 6	 ? 2
		      : *text >> 4 == 14 ? 3
		      : *text >> 3 == 30 ? 4
					 : 0;
	uint32_t character = size == 1 ? *text : *text & (0xffu >> (size + 1));

	for (size_t i = 1; i < size; i++) {
		if (text[i] >> 6 != 2) /* the end of the text among them */
			return 0;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (!size || character < least[size] || character > 0x10ffff ||
		(character >= 0xd800 && character < 0xe000))
		return 0;
	*ret_character = character;
	return size;
}

/* Neither seen nor harmless: it turns, hides or breaks what stands beside it. */
static bool is_hidden(uint32_t character)
{
	return (character < 0x20 && character != '\t' && character != '\n') ||
	       (character >= 0x7f && character < 0xa0) || character == 0x61c || character == 0x200b ||
	       character == 0x200e || character == 0x200f || (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) || character == 0xfeff ||
	       (character >= 0xfff9 && character <= 0xfffb) || (character & 0xfffe) == 0xfffe ||
	       (character >= 0xfdd0 && character <= 0xfdef) || (character >= 0xe0000 && character <= 0xe0fff);
}

static const char *entity_of(uint32_t character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(struct html *html, const char *text)
{
	const unsigned char *at = (const unsigned char *)(text ? text : "");
	uint32_t character = 0;

	while (*at) {
		size_t size = decode(at, &character);
		const char *entity = size ? entity_of(character) : "\xef\xbf\xbd"; /* U+FFFD */
		if (size && character == '\r') { /* a line's end, alone or before '\n' */
			if (at[1] != '\n')
				fputc('\n', html->out);
		} else if (entity) {
			fputs(entity, html->out);
		} else if (is_hidden(character)) {
			fprintf(html->out, "[U+%04X]", (unsigned int)character);
		} else {
			fwrite(at, 1, size, html->out);
		}
		at += size ? size : 1;
	}
}
