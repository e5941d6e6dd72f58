/* html.h - an HTML page in memory: elements that close, and one way for text to get in.
 *
 * What stands in the program (tags, attributes, style) is written as it is; everything else goes through html_text, and
 * cannot become markup there. A character that hides or turns others is shown by its number, so that what is read is what
 * was written: control characters, and those that override the direction of writing.
 */
#ifndef AVVIK_HTML_H
#define AVVIK_HTML_H

#include <stdio.h>
#include "base/bytes.h"

#define HTML_DEPTH 32

struct html {
	FILE *out;
	char *bytes;
	size_t size;
	char open[HTML_DEPTH][12]; /* tags, the innermost last */
	unsigned int depth;
};

/* AV_MEMORY */
int html_begin(struct html *html);
/* Closes what is open. What is returned lives until html_finish. AV_MEMORY: something has not been kept. */
int html_end(struct html *html, struct av_bytes *ret_page);
void html_finish(struct html *html); /* accepts a zeroed one */

/* `element` is a tag and its attributes: "th scope=\"row\"". A literal of the program, never a text. */
void html_open(struct html *html, const char *element);
/* Closes the innermost of that tag, and what is open in it. */
void html_close(struct html *html, const char *tag);
/* Markup of the program, as it is. */
void html_literal(struct html *html, const char *markup);
/* Any text: escaped. NULL is none. */
void html_text(struct html *html, const char *text);
/* open, text, close */
void html_element(struct html *html, const char *element, const char *text);

#endif
