/* main.c - avvik-intake. README.md is its manual; intake_service.c holds its tables. */
#include "handlers.h"

int main(int argc, char **argv)
{
	return av_daemon_main(&intake_service, argc, argv);
}
