/* case_document.c - avvik case document: one page that shows a case as the law wants it documented.
 *
 * With content: workflow decides whether the person may read it, and each holder opens it (content.c does the same).
 * Without: codes, times and roles, from the case, its events and its deadlines. The page is made in memory and goes to
 * standard output or to a file that only its owner reads; nothing of it is kept elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "base/status.h"
#include "case_tool.h"
#include "document.h"
#include "grant.h"

/* --- what the page is made of --- */

static void part_keep(struct document *doc, ProtobufCBinaryData content_id, const Avvik__V1__OpenedPart *part)
{
	struct opened_part *kept = &doc->parts[doc->part_count];
	const ProtobufCMessageDescriptor *type = part ? grant_part_type(part->part) : NULL;
	ProtobufCMessage *message = NULL;

	if (content_id.len != AV_ID_SIZE ||
		(part && (!type || av_message_load(type, av_bytes(part->body.data, part->body.len),
					   doc->tool->arena, &message) < 0)))
		return; /* of a later version: it is shown as withheld */
	memcpy(kept->content_id.bytes, content_id.data, AV_ID_SIZE);
	kept->part = part ? part->part : AVVIK__V1__CONTENT_PART__CONTENT_PART_UNSPECIFIED;
	kept->message = message;
	doc->part_count++;
}

static void opened_keep(void *context, enum tool_daemon holder, const Avvik__V1__OpenedContent *opened)
{
	struct document *doc = context;
	size_t count = doc->part_count;

	AV_UNUSED(holder);
	for (size_t i = 0; i < opened->n_items; i++)
		count += opened->items[i]->n_parts + 1;
	struct opened_part *parts = av_arena_alloc(doc->tool->arena, count * sizeof *parts + 1);
	if (!parts)
		return;
	if (doc->part_count)
		memcpy(parts, doc->parts, doc->part_count * sizeof *parts);
	doc->parts = parts;
	for (size_t i = 0; i < opened->n_items; i++) {
		const Avvik__V1__OpenedItem *item = opened->items[i];
		if (item->erased)
			part_keep(doc, item->content_id, NULL);
		for (size_t p = 0; p < item->n_parts; p++)
			part_keep(doc, item->content_id, item->parts[p]);
	}
}

static int content_ask(struct document *doc, struct av_id *case_id)
{
	Avvik__V1__ReadContent order = AVVIK__V1__READ_CONTENT__INIT;

	if (!doc->open)
		return EXIT_DONE;
	order.case_id = ask_id_field(case_id);
	order.purpose = (char *)(uintptr_t)doc->purpose;
	return grant_read(doc->tool, &order, opened_keep, doc);
}

static int deadlines_ask(struct document *doc, struct av_id *case_id)
{
	Avvik__V1__ListDeadlines query = AVVIK__V1__LIST_DEADLINES__INIT;
	Avvik__V1__Reply *reply = NULL;
	int code;

	query.case_id = ask_id_field(case_id);
	query.limit = 500;
	if (!ask(doc->tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_DEADLINES, &query.base, &reply,
		    &code))
		return code;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND)
		doc->deadlines = (const Avvik__V1__DeadlinesFound *)av_message_copy(
			&reply->deadlines_found->base, doc->tool->arena);
	tool_reply_free(&reply);
	return EXIT_DONE;
}

static int corrections_keep(struct document *doc, const Avvik__V1__Case *found)
{
	size_t count = doc->correction_count + found->n_corrections;
	const Avvik__V1__Correction **all = av_arena_alloc(doc->tool->arena, count * sizeof *all + 1);

	if (!all)
		return AV_MEMORY;
	if (doc->correction_count)
		memcpy(all, doc->corrections, doc->correction_count * sizeof *all);
	for (size_t i = 0; i < found->n_corrections; i++)
		all[doc->correction_count + i] = found->corrections[i];
	doc->corrections = all;
	doc->correction_count = count;
	return AV_OK;
}

/* The reports that stand under the case, as far as the person may read them; the others are shown as withheld. */
static int joined_ask(struct document *doc)
{
	int code = EXIT_DONE;

	for (size_t i = 0; i < doc->found->n_joined && code == EXIT_DONE; i++) {
		Avvik__V1__Reply *reply = NULL;
		struct av_id id;
		const Avvik__V1__Case *found =
			case_fetch(doc->tool, doc->found->joined[i]->number, &reply, &code);
		if (!found || found->case_id.len != AV_ID_SIZE)
			continue;
		const Avvik__V1__Case *kept =
			(const Avvik__V1__Case *)av_message_copy(&found->base, doc->tool->arena);
		memcpy(id.bytes, found->case_id.data, AV_ID_SIZE);
		tool_reply_free(&reply);
		if (!kept || corrections_keep(doc, kept) < 0)
			return tool_fail(EXIT_REFUSED, "out of memory");
		code = content_ask(doc, &id);
		if (code != EXIT_AWAY)
			code = case_events_ask(doc->tool, DAEMON_INTAKE, &id, &doc->joined);
	}
	return code == EXIT_AWAY ? code : EXIT_DONE;
}

/* What was read before and after is of one version, so that no text belongs to another case than the page tells of. */
static int unchanged(struct document *doc, const char *number)
{
	Avvik__V1__Reply *reply = NULL;
	int code = EXIT_DONE;
	const Avvik__V1__Case *now = case_fetch(doc->tool, number, &reply, &code);

	if (now && now->version != doc->found->version)
		code = tool_fail(
			EXIT_REFUSED, "the case was acted on while it was read: make the document again");
	tool_reply_free(&reply);
	return code;
}

static int gather(struct document *doc, const char *number)
{
	struct av_id case_id;

	if (doc->found->limited)
		return tool_fail(EXIT_REFUSED, "the lex Sarah officer has the case, and this person is shown "
					       "no more than that it exists: "
					       "somebody who may read it makes the document");
	if (doc->found->case_id.len != AV_ID_SIZE)
		return tool_fail(
			EXIT_REFUSED, "the case cannot be read: is this avvik older than the daemons?");
	memcpy(case_id.bytes, doc->found->case_id.data, AV_ID_SIZE);
	int code = corrections_keep(doc, doc->found) < 0 ? tool_fail(EXIT_REFUSED, "out of memory")
							 : content_ask(doc, &case_id);
	if (code == EXIT_DONE)
		code = joined_ask(doc);
	if (code == EXIT_DONE)
		code = case_events_ask(doc->tool, DAEMON_INTAKE, &case_id, &doc->events);
	if (code == EXIT_DONE)
		code = case_events_ask(doc->tool, DAEMON_WORKFLOW, &case_id, &doc->events);
	if (code == EXIT_DONE)
		code = deadlines_ask(doc, &case_id);
	if (code == EXIT_DONE)
		code = unchanged(doc, number);
	case_events_sort(&doc->events);
	doc->rules = names_rules(&doc->names, doc->found->rules_version);
	return code;
}

/* --- the page --- */

static const char style[] =
	"<style>\n"
	"@page { size: A4; margin: 22mm 20mm 20mm 24mm;\n"
	"  @bottom-right { content: \"Sida \" counter(page) \" av \" counter(pages); font: 8.5pt sans-serif; "
	"color: #222; }\n"
	"  @bottom-left { content: \"Kan innehålla sekretessbelagda uppgifter\"; font: 8.5pt sans-serif; "
	"color: #222; } }\n"
	"html { background: #fff; color: #111; font: 10.5pt/1.45 \"Liberation Sans\", Arial, Helvetica, "
	"sans-serif; }\n"
	"body { max-width: 46em; margin: 2em auto; padding: 0 1em; }\n"
	"h1 { font-size: 1.9em; line-height: 1.15; margin: .15em 0 .5em; }\n"
	"h2 { font-size: 1.3em; margin: 2em 0 .5em; padding-bottom: .2em; border-bottom: 2px solid #222; "
	"break-after: avoid; }\n"
	"h3 { font-size: 1.07em; margin: 1.3em 0 .3em; break-after: avoid; }\n"
	"h4 { font-size: 1em; margin: .9em 0 .2em; break-after: avoid; }\n"
	"p { margin: .3em 0 .6em; orphans: 3; widows: 3; }\n"
	".sender { font-size: 1.05em; font-weight: bold; margin: 0; }\n"
	".secrecy { font-weight: bold; }\n"
	".warning, .notice { border: 2px solid #111; padding: .5em .8em; margin: .8em 0; }\n"
	".warning { border-width: 4px; }\n"
	".by { color: #333; margin: 0 0 .4em; break-after: avoid; }\n"
	".name { font-weight: bold; margin: .7em 0 .1em; break-after: avoid; }\n"
	".text, td { white-space: pre-wrap; overflow-wrap: break-word; }\n"
	".when { white-space: nowrap; }\n"
	".text { margin: .2em 0 .5em; orphans: 3; widows: 3; }\n"
	".none, .withheld, .corrected { font-style: italic; }\n"
	".act { margin: 0 0 .9em; padding-left: .9em; border-left: 2px solid #999; }\n"
	".act h3, .act h4 { margin-top: 0; }\n"
	"dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: .2em 0 .5em; }\n"
	"dt { color: #333; }\n"
	"dd { margin: 0; overflow-wrap: anywhere; }\n"
	"table { border-collapse: collapse; width: 100%; margin: .6em 0 1.1em; font-size: .95em; }\n"
	"caption { text-align: left; font-weight: bold; padding: .2em 0 .3em; break-after: avoid; }\n"
	"th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0; border-bottom: 1px "
	"solid #999; }\n"
	"thead th { border-bottom: 2px solid #222; }\n"
	"tbody th { font-weight: normal; color: #333; }\n"
	".facts th { width: 32%; }\n"
	"tr, .act dl { break-inside: avoid; }\n"
	"thead, tbody tr:first-child { break-after: avoid; }\n"
	".short { break-inside: avoid; }\n"
	".page { break-before: page; }\n"
	"@media print { body { max-width: none; margin: 0; padding: 0; } .page { margin-top: 0; } }\n"
	"</style>";

static int page_write(struct document *doc, struct av_bytes *ret_page)
{
	struct html *html = &doc->html;

	if (html_begin(html) < 0)
		return AV_MEMORY;
	html_literal(html, "<!DOCTYPE html>");
	html_open(html, "html lang=\"sv\"");
	html_open(html, "head");
	html_literal(html,
		"<meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<meta name=\"referrer\" content=\"no-referrer\">"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		"'unsafe-inline'\">");
	html_element(html, "title", DOCUMENT_PRINTF(doc, "Ärende %s", doc->found->number));
	html_literal(html, style);
	html_close(html, "head");
	html_open(html, "body");
	html_open(html, "main");
	document_head(doc);
	document_reports(doc);
	document_joined(doc);
	document_remedies(doc);
	document_informing(doc);
	document_inquiry(doc);
	document_decisions(doc);
	document_ivo(doc);
	document_measures(doc);
	document_closing(doc);
	document_deadlines(doc);
	document_corrections(doc);
	document_course(doc);
	document_form(doc);
	html_close(html, "main");
	document_footer(doc);
	return av_arena_failed(doc->tool->arena) ? AV_MEMORY : html_end(html, ret_page);
}

/* A new file, so that what stands in another is neither lost nor left readable for others. */
static int page_save(const char *path, struct av_bytes page)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd < 0)
		return tool_fail(EXIT_USAGE,
			"--out: cannot make %s: %s: give the name of a file that does not exist, in a "
			"folder that you may write to",
			path, strerror(errno));
	FILE *file = fdopen(fd, "w");
	bool good = file && fwrite(page.data, 1, page.size, file) == page.size && fflush(file) == 0 &&
		    fsync(fd) == 0;
	int reason = errno;
	if (file)
		good = fclose(file) == 0 && good;
	else
		close(fd);
	if (good)
		return EXIT_DONE;
	unlink(path);
	return tool_fail(EXIT_REFUSED, "cannot write %s: %s", path, strerror(reason));
}

int case_document(struct tool *tool, int argc, char **argv)
{
	const char *number = NULL, *out = NULL;
	bool without = false;
	struct document doc = {.tool = tool, .names = names_of(tool)};
	const struct tool_option words[] = {{"purpose", OPTION_TEXT, &doc.purpose},
		{"out", OPTION_TEXT, &out}, {"without-content", OPTION_FLAG, &without}};
	Avvik__V1__Reply *reply = NULL;
	struct av_bytes page = av_bytes(NULL, 0);
	int code = EXIT_DONE;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &number, 1) < 0)
		return EXIT_USAGE;
	if (!number)
		return tool_usage("case");
	if (tool->json)
		return tool_fail(EXIT_USAGE,
			"--json: the document is a page; `avvik case show` gives the case as JSON");
	doc.open = !without;
	if (doc.open && !tool->person)
		return tool_fail(EXIT_USAGE,
			"--as is missing: who reads? Give the person's id in the directory, or "
			"--without-content");
	if (doc.open && !doc.purpose)
		return tool_fail(EXIT_USAGE,
			"--purpose is missing: `avvik rules show` lists the purposes; or give "
			"--without-content");
	doc.found = case_fetch(tool, number, &reply, &code);
	if (!doc.found)
		return code;
	doc.made_at_ms = tool_now_ms(tool);
	code = gather(&doc, number);
	if (code == EXIT_DONE && page_write(&doc, &page) < 0)
		code = tool_fail(EXIT_REFUSED, "out of memory");
	if (code == EXIT_DONE && out)
		code = page_save(out, page);
	else if (code == EXIT_DONE &&
		 (fwrite(page.data, 1, page.size, stdout) != page.size || fflush(stdout) != 0))
		code = tool_fail(EXIT_REFUSED, "cannot write the document: %s", strerror(errno));
	html_finish(&doc.html);
	case_events_end(&doc.events);
	case_events_end(&doc.joined);
	tool_reply_free(&reply);
	return code;
}
