/* BIRD's control protocol as birdc speaks it (BIRD 2, client/client.c): lines of a code of four digits, then "-" where
 * more follow or a blank where the answer ends; 0001 greets, 8xxx and 9xxx are refusals. */
#include "cli/bird.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 30, REFUSALS = 8000 };

/* The last line of an answer. Its code, or negative. */
static int answer_read(FILE *stream, const char *control, struct err *err)
{
	char line[1024];
	while (fgets(line, sizeof line, stream)) {
		char *rest;
		long code = strtol(line, &rest, 10);
		if (rest != line + 4 || *rest != ' ')
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (code >= REFUSALS)
			return err_set(err, -EBADMSG, "BIRD refuses: %.200s", line + 5);
		return (int)code;
	}
	return err_set(err, -EPIPE, "%s: BIRD gave no answer", control);
}

static int connect_to(const char *control, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {PATIENCE_S, 0};
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", control) >= (int)sizeof address.sun_path)
		return err_set(err, -ENAMETOOLONG, "%s: the path is too long for a socket", control);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int code = err_set(err, -errno, "%s: %s; is BIRD running?", control, strerror(errno));
	if (fd >= 0)
		close(fd);
	return code;
}

int bird_configure(const char *control, struct err *err)
{
	int fd = connect_to(control, err);
	if (fd < 0)
		return fd;
	FILE *stream = fdopen(fd, "r+");
	if (!stream) {
		close(fd);
		return err_set(err, -ENOMEM, "no memory for a stream");
	}
	int code = answer_read(stream, control, err);
	if (code >= 0 && send(fd, "configure\n", 10, MSG_NOSIGNAL) != 10)
		code = err_set(err, -EPIPE, "%s: BIRD takes no command", control);
	if (code >= 0)
		code = answer_read(stream, control, err);
	fclose(stream);
	return code < 0 ? code : 0;
}
