/* main.c - avvik-notification: tells people what happened in cases and what is expected of them. See
 * README.md. */
#include "notification_service.h"

int main(int argc, char **argv)
{
	return av_daemon_main(&notification_service, argc, argv);
}
