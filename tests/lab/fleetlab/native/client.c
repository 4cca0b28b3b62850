/* One small program behind every imitated command of a host.
 *
 * It hands its arguments, environment, working directory and standard streams to the host's tool server over a Unix
 * socket, and ends as the server says: with an exit code, by a signal, or by executing a real program with arguments
 * that the server has checked. A Python interpreter a command would cost twenty times as much.
 *
 * Request:  u32 argc, u32 envc, u32 bytes, then the NUL-ended strings; with it, as rights, stdin, stdout, stderr, cwd.
 * Response: 'E' code | 'S' signal | 'X' u32 argc, u32 envc, u32 bytes, strings: path, argv..., added environment...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what) {
  fprintf(stderr, "lab: %s: %s\n", what, strerror(errno));
  _exit(71); /* EX_OSERR */
}

static void write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t done = send(fd, data, size, MSG_NOSIGNAL);
    if (done < 0) {
      if (errno == EINTR) continue;
      fail("tool server");
    }
    data += done;
    size -= (size_t)done;
  }
}

static void read_all(int fd, void *data, size_t size) {
  char *at = data;
  while (size > 0) {
    ssize_t done = read(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      if (done == 0) errno = ECONNRESET;
      fail("tool server");
    }
    at += done;
    size -= (size_t)done;
  }
}

static int connect_to_server(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, TOOLS_SOCKET, sizeof address.sun_path - 1);
  for (int attempt = 0;; attempt++) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (attempt == 100) fail(TOOLS_SOCKET);
    close(fd);
    usleep(20000); /* the server is being restarted, or the host boots */
  }
}

static void send_request(int fd, int argc, char **argv) {
  uint32_t header[3] = {(uint32_t)argc, 0, 0};
  size_t size = 0;
  for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
  for (char **e = environ; *e; e++, header[1]++) size += strlen(*e) + 1;
  header[2] = (uint32_t)size;
  char *body = malloc(size + 1);
  if (!body) fail("malloc");
  char *at = body;
  for (int i = 0; i < argc; i++) at = stpcpy(at, argv[i]) + 1;
  for (char **e = environ; *e; e++) at = stpcpy(at, *e) + 1;

  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (here < 0) here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fds[4] = {0, 1, 2, here};
  for (int i = 0; i < 3; i++)
    if (fcntl(i, F_GETFD) < 0) fds[i] = null;

  char control[CMSG_SPACE(sizeof fds)] = {0};
  struct iovec piece = {header, sizeof header};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(rights), fds, sizeof fds);
  if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)sizeof header) fail("tool server");
  write_all(fd, body, size);
  free(body);
  close(null);
  close(here);
}

static void execute(int fd) {
  uint32_t header[3];
  read_all(fd, header, sizeof header);
  char *body = malloc(header[2] + 1);
  char **strings = calloc(header[0] + header[1] + 1, sizeof *strings);
  if (!body || !strings) fail("malloc");
  read_all(fd, body, header[2]);
  char *at = body;
  for (uint32_t i = 0; i < header[0] + header[1]; i++, at += strlen(at) + 1) strings[i] = at;
  for (uint32_t i = 0; i < header[1]; i++) putenv(strings[header[0] + i]);
  strings[header[0]] = NULL;
  execv(strings[0], strings + 1);
  fail(strings[0]);
}

int main(int argc, char **argv) {
  char *slash = strrchr(argv[0], '/');
  if (slash) argv[0] = slash + 1;
  int fd = connect_to_server();
  send_request(fd, argc, argv);
  char kind;
  unsigned char number;
  read_all(fd, &kind, 1);
  if (kind == 'X') execute(fd);
  read_all(fd, &number, 1);
  if (kind == 'S') {
    signal(number, SIG_DFL);
    kill(getpid(), number);
  }
  return number;
}
