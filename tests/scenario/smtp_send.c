/* smtp_send.c - sends mails through notification's SMTP transport and prints how each ended, for smtp.py.
 *
 *	smtp_send SERVER TLS CA_FILE USER PASSWORD_FILE TIMEOUT_SECONDS COUNT TO
 *	-> "0 delivered 0" a mail: its number, the outcome's code, whether it was perhaps sent without an answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/macros.h"
#include "mail.h"
#include "transport.h"

#define MAILS_MAX 200

static const char body[] = "Hej Åsa,\n\n.en punkt först\n..två punkter\n.\nslut\n";

static struct transport *transport;
static size_t waiting;
static int numbers[MAILS_MAX];

static void on_end(void *context, void *owner, enum outcome outcome, bool perhaps_sent)
{
	AV_UNUSED(context);
	printf("%d %s %d\n", *(int *)owner, outcome_code((int)outcome), perhaps_sent);
	fflush(stdout);
	if (--waiting == 0)
		transport->close(transport);
}

int main(int argc, char **argv)
{
	if (argc != 9) {
		fprintf(stderr,
			"usage: smtp_send SERVER TLS CA_FILE USER PASSWORD_FILE TIMEOUT_SECONDS COUNT TO\n");
		return 64;
	}
	struct av_arena *arena = av_arena_create(0);
	size_t count = (size_t)atoi(argv[7]);
	struct smtp_options options = {.server = argv[1],
		.domain = "avvik.test",
		.tls_required = strcmp(argv[2], "none") != 0,
		.ca_file = argv[3],
		.user = argv[4],
		.password_file = argv[5],
		.timeout_seconds = (unsigned int)atoi(argv[6]),
		.on_end = on_end};
	uv_loop_t loop;

	if (!arena || count == 0 || count > MAILS_MAX || uv_loop_init(&loop) < 0 ||
		smtp_open(&loop, &options, &transport) < 0)
		return 70;
	waiting = count;
	for (size_t i = 0; i < count; i++) {
		struct av_id id = {{0}};
		id.bytes[15] = (unsigned char)i;
		numbers[i] = (int)i;
		struct mail mail = {.from = "avvik@lindaker.se",
			.from_name = "Socialnämnden i Lindåker",
			.to = argv[8],
			.to_name = "Åsa Öberg",
			.subject = "Snart sista dag, ärende 2026-0042",
			.body = body,
			.message_id = mail_message_id(&id, "lindaker.se", arena),
			.date_ms = 1775545200000};
		transport->send(transport, &(struct transport_mail){id, "avvik@lindaker.se", argv[8],
						   mail_build(&mail, arena), &numbers[i]});
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	int left = uv_loop_close(&loop); /* nothing may be left open */
	av_arena_destroy(&arena);
	return left == 0 ? 0 : 71;
}
