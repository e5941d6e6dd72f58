/* grant.c - content by grant: workflow decides, each holder opens. */
#include "grant.h"

#include "ask.h"
#include "base/status.h"

const ProtobufCMessageDescriptor *grant_part_type(Avvik__V1__ContentPart part)
{
	switch (part) {
	case AVVIK__V1__CONTENT_PART__CONTENT_PART_NARRATIVE:
		return &avvik__v1__report_narrative__descriptor;
	case AVVIK__V1__CONTENT_PART__CONTENT_PART_PERSONS:
		return &avvik__v1__report_persons__descriptor;
	case AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER:
		return &avvik__v1__reporter__descriptor;
	case AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT:
		return &avvik__v1__contact__descriptor;
	case AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT:
		return &avvik__v1__case_text__descriptor;
	default:
		return NULL;
	}
}

/* Which daemon a grant is for: it is the same for all its items. */
static int holder_of(struct tool *tool, const Avvik__V1__Grant *grant, enum tool_daemon *ret_holder)
{
	ProtobufCMessage *message;

	if (av_message_load(&avvik__v1__grant_body__descriptor, av_bytes(grant->body.data, grant->body.len),
		    tool->arena, &message) < 0)
		return AV_MALFORMED;
	const Avvik__V1__GrantBody *body = (const Avvik__V1__GrantBody *)message;
	if (!body->n_items)
		return AV_NOTHING;
	return ask_daemon(body->items[0]->holder, ret_holder);
}

Avvik__V1__Reply *grant_use(
	struct tool *tool, Avvik__V1__Grant *grant, enum tool_daemon *ret_holder, int *ret_code)
{
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	Avvik__V1__Reply *reply = NULL;
	int status = holder_of(tool, grant, ret_holder);

	*ret_code = EXIT_DONE;
	if (status < 0)
		*ret_code = tool_fail(
			EXIT_REFUSED, "the grant cannot be read: is this avvik older than the daemons?");
	if (status != AV_OK)
		return NULL;
	open.grant = grant;
	ask(tool, *ret_holder, AVVIK__V1__COMMAND__BODY_OPEN_CONTENT, &open.base, &reply, ret_code);
	return reply;
}

int grant_read(struct tool *tool, Avvik__V1__ReadContent *order, grant_opened *each, void *context)
{
	Avvik__V1__Reply *granted = NULL;
	int code, worst = EXIT_DONE;

	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_READ_CONTENT, &order->base, &granted, &code))
		return code;
	size_t count = granted->body_case == AVVIK__V1__REPLY__BODY_GRANT_ISSUED
			       ? granted->grant_issued->n_grants
			       : 0;
	for (size_t i = 0; i < count; i++) {
		enum tool_daemon holder;
		Avvik__V1__Reply *reply = grant_use(tool, granted->grant_issued->grants[i], &holder, &code);
		if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_OPENED_CONTENT)
			each(context, holder, reply->opened_content);
		tool_reply_free(&reply);
		worst = AV_MAX(worst, code);
	}
	tool_reply_free(&granted);
	return worst;
}
