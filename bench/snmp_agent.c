/* An SNMPv2c agent that answers for a whole city: GET, GETNEXT and GETBULK out of one table, on every address of
   loopback at one port, fast enough that whoever asks is what is measured.

   usage: snmp_agent PORT TABLE      a line of TABLE: OID TAG VALUE RATE

   TAG is BER's in decimal. VALUE is a decimal number, or hexadecimal octets for the tags of strings and OIDs. RATE is
   by how much a number grows in a second; each address has its own starting point, so no two agents count alike. Any
   community is answered. "ready" on standard error says that it listens. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { ARCS = 64, ASKED_MAX = 256, REPLY_MAX = 60000, BATCH = 32, OCTETS_MAX = 512 };
enum { INTEGER = 0x02, OCTET_STRING = 0x04, OID = 0x06, SEQUENCE = 0x30, COUNTER32 = 0x41, COUNTER64 = 0x46 };
enum { GET = 0xA0, RESPONSE = 0xA2, GET_BULK = 0xA5, NO_SUCH_OBJECT = 0x80, END_OF_VIEW = 0x82 };

typedef struct { int count; uint32_t arcs[ARCS]; } Name;

typedef struct {
    Name name;
    uint8_t oid[ARCS * 5];
    int oid_length, tag, length;
    uint8_t octets[OCTETS_MAX];
    uint64_t number, rate;
} Row;

typedef struct { const uint8_t *at, *end; } Span;

static Row *rows;
static int row_count;
static struct timespec begun;

static int compare(const Name *a, const Name *b) {
    for (int i = 0; i < a->count && i < b->count; i++)
        if (a->arcs[i] != b->arcs[i]) return a->arcs[i] < b->arcs[i] ? -1 : 1;
    return a->count - b->count;
}

static int by_name(const void *a, const void *b) { return compare(&((const Row *)a)->name, &((const Row *)b)->name); }

/* The first row behind the name. */
static int successor(const Name *name) {
    int low = 0, high = row_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (compare(&rows[middle].name, name) <= 0) low = middle + 1; else high = middle;
    }
    return low;
}

/* Reading ------------------------------------------------------------------------------------------- */

/* Take one element off the span; its tag, or -1 where it is crooked. */
static int take(Span *from, Span *content) {
    if (from->end - from->at < 2) return -1;
    int tag = *from->at++;
    size_t length = *from->at++;
    if (length & 0x80) {
        int octets = length & 0x7F;
        if (octets < 1 || octets > 3 || from->end - from->at < octets) return -1;
        for (length = 0; octets--;) length = length << 8 | *from->at++;
    }
    if ((size_t)(from->end - from->at) < length) return -1;
    *content = (Span){from->at, from->at + length};
    from->at += length;
    return tag;
}

static long integer(Span content) {
    long value = 0;
    while (content.at < content.end) value = value << 8 | *content.at++;
    return value;
}

static int read_name(Span content, Name *name) {
    uint32_t arc = 0;
    name->count = 0;
    while (content.at < content.end) {
        arc = arc << 7 | (*content.at & 0x7F);
        if (*content.at++ & 0x80) continue;
        if (name->count + 2 > ARCS) return -1;
        if (!name->count) { name->arcs[name->count++] = arc / 40; arc %= 40; }
        name->arcs[name->count++] = arc;
        arc = 0;
    }
    return 0;
}

/* Writing ------------------------------------------------------------------------------------------- */

static uint8_t *put_head(uint8_t *to, int tag, size_t length) {
    *to++ = tag;
    if (length >= 0x100) { *to++ = 0x82; *to++ = length >> 8; }
    else if (length >= 0x80) *to++ = 0x81;
    *to++ = length;
    return to;
}

static uint8_t *put(uint8_t *to, int tag, const uint8_t *octets, size_t length) {
    to = put_head(to, tag, length);
    memcpy(to, octets, length);
    return to + length;
}

static uint8_t *put_number(uint8_t *to, int tag, uint64_t value) {
    int sign = tag == INTEGER && value >> 63 ? 0xFF : 0, first = 0;
    uint8_t octets[9] = {sign};
    for (int i = 8; i > 0; i--, value >>= 8) octets[i] = value;
    while (first < 8 && octets[first] == sign && !((octets[first + 1] ^ sign) & 0x80)) first++;
    return put(to, tag, octets + first, 9 - first);
}

static int encode_name(const Name *name, uint8_t *to) {
    uint8_t *begin = to;
    *to++ = name->arcs[0] * 40 + name->arcs[1];
    for (int i = 2; i < name->count; i++)
        for (int shift = 28, started = 0; shift >= 0; shift -= 7) {
            int part = name->arcs[i] >> shift & 0x7F;
            started |= part || !shift;
            if (started) *to++ = part | (shift ? 0x80 : 0);
        }
    return to - begin;
}

static uint8_t *put_row(uint8_t *to, const Row *row, uint64_t milliseconds, uint64_t offset) {
    uint8_t content[ARCS * 5 + OCTETS_MAX + 16], *end = put(content, OID, row->oid, row->oid_length);
    if (row->tag == OCTET_STRING || row->tag == OID) end = put(end, row->tag, row->octets, row->length);
    else {
        uint64_t value = row->number + (row->rate ? row->rate * milliseconds / 1000 + offset : 0);
        end = put_number(end, row->tag, row->tag == COUNTER32 ? (uint32_t)value : value);
    }
    return put(to, SEQUENCE, content, end - content);
}

static uint8_t *put_nothing(uint8_t *to, const Name *name, int why) {
    uint8_t oid[ARCS * 5], content[ARCS * 5 + 8], *end = put(content, OID, oid, encode_name(name, oid));
    return put(to, SEQUENCE, content, put_head(end, why, 0) - content);
}

/* Answering ----------------------------------------------------------------------------------------- */

static uint8_t *answer_rows(uint8_t *to, int kind, Span asked, long unrepeated, long repetitions, uint64_t offset) {
    static Name names[ASKED_MAX];
    int at[ASKED_MAX], count = 0;
    uint8_t *begin = to;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t milliseconds = (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000;
    for (Span pair, name; count < ASKED_MAX && take(&asked, &pair) == SEQUENCE; count++) {
        if (take(&pair, &name) != OID || read_name(name, &names[count])) return to;
        at[count] = successor(&names[count]);
    }
    if (kind == GET) {
        for (int i = 0; i < count; i++) {
            int found = at[i] > 0 && !compare(&rows[at[i] - 1].name, &names[i]);
            to = found ? put_row(to, &rows[at[i] - 1], milliseconds, offset) : put_nothing(to, &names[i], NO_SUCH_OBJECT);
        }
        return to;
    }
    if (kind != GET_BULK) { unrepeated = count; repetitions = 0; }
    for (int i = 0; i < count && i < unrepeated; i++)
        to = at[i] < row_count ? put_row(to, &rows[at[i]], milliseconds, offset) : put_nothing(to, &names[i], END_OF_VIEW);
    for (long turn = 0; turn < repetitions; turn++)
        for (int i = unrepeated; i < count; i++) {
            if (to - begin > REPLY_MAX - 2 * OCTETS_MAX) return to;
            int last = at[i] + turn;
            const Name *end = at[i] < row_count ? &rows[row_count - 1].name : &names[i];
            to = last < row_count ? put_row(to, &rows[last], milliseconds, offset) : put_nothing(to, end, END_OF_VIEW);
        }
    return to;
}

/* The reply's length; 0 where the request is none. */
static size_t answer(const uint8_t *request, size_t length, uint8_t *reply, uint64_t offset) {
    static uint8_t list[REPLY_MAX + 4 * OCTETS_MAX], pdu[sizeof list + 64], message[sizeof pdu + OCTETS_MAX];
    Span all = {request, request + length}, inner, version, community, body, id, first, second, asked;
    if (take(&all, &inner) != SEQUENCE || take(&inner, &version) != INTEGER) return 0;
    if (take(&inner, &community) != OCTET_STRING || community.end - community.at > OCTETS_MAX / 2) return 0;
    int kind = take(&inner, &body);
    if (kind < GET || take(&body, &id) != INTEGER || take(&body, &first) != INTEGER) return 0;
    if (take(&body, &second) != INTEGER || take(&body, &asked) != SEQUENCE) return 0;
    uint8_t *end = answer_rows(list, kind, asked, integer(first), integer(second), offset);
    uint8_t *to = put(pdu, INTEGER, id.at, id.end - id.at);
    to = put_number(put_number(to, INTEGER, 0), INTEGER, 0);
    to = put(to, SEQUENCE, list, end - list);
    uint8_t *outer = put(message, INTEGER, version.at, version.end - version.at);
    outer = put(outer, OCTET_STRING, community.at, community.end - community.at);
    outer = put(outer, RESPONSE, pdu, to - pdu);
    return put(reply, SEQUENCE, message, outer - message) - reply;
}

/* Setting up ---------------------------------------------------------------------------------------- */

static void load(const char *path) {
    char line[4096], oid[1024], value[2048];
    unsigned long long rate;
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    while (fgets(line, sizeof line, file)) {
        rows = realloc(rows, (row_count + 1) * sizeof *rows);
        Row *row = memset(&rows[row_count], 0, sizeof *row);
        if (sscanf(line, "%1023s %d %2047s %llu", oid, &row->tag, value, &rate) != 4) { fputs(line, stderr); exit(1); }
        for (char *part = strtok(oid, "."); part && row->name.count < ARCS; part = strtok(NULL, "."))
            row->name.arcs[row->name.count++] = strtoul(part, NULL, 10);
        row->oid_length = encode_name(&row->name, row->oid);
        row->rate = rate;
        if (row->tag == OCTET_STRING || row->tag == OID) {
            unsigned octet;
            for (char *at = value; row->length < OCTETS_MAX && sscanf(at, "%2x", &octet) == 1; at += 2)
                row->octets[row->length++] = octet;
        } else row->number = strtoull(value, NULL, 10);
        row_count++;
    }
    fclose(file);
    qsort(rows, row_count, sizeof *rows, by_name);
}

static int listen_on(int port) {
    int sock = socket(AF_INET, SOCK_DGRAM, 0), on = 1, buffer = 8 << 20;
    struct sockaddr_in everywhere = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer))
        setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    inet_pton(AF_INET, "0.0.0.0", &everywhere.sin_addr);
    if (bind(sock, (struct sockaddr *)&everywhere, sizeof everywhere)) { perror("bind"); exit(1); }
    return sock;
}

int main(int count, char **arguments) {
    static uint8_t requests[BATCH][4096], reply[REPLY_MAX + 8 * OCTETS_MAX];
    static char controls[BATCH][128];
    static struct sockaddr_in sources[BATCH];
    static struct iovec vectors[BATCH];
    static struct mmsghdr messages[BATCH];
    if (count != 3) { fputs("usage: snmp_agent PORT TABLE\n", stderr); return 2; }
    clock_gettime(CLOCK_MONOTONIC, &begun);
    load(arguments[2]);
    int sock = listen_on(atoi(arguments[1]));
    fputs("ready\n", stderr);
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){requests[i], sizeof requests[i]};
            messages[i].msg_hdr = (struct msghdr){&sources[i], sizeof sources[i], &vectors[i], 1, controls[i], sizeof controls[i], 0};
        }
        int got = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++) {
            struct msghdr *asked = &messages[i].msg_hdr;
            struct cmsghdr *control = CMSG_FIRSTHDR(asked);
            if (!control || control->cmsg_type != IP_PKTINFO) continue;
            struct in_pktinfo *place = (struct in_pktinfo *)CMSG_DATA(control);
            place->ipi_spec_dst = place->ipi_addr; /* the answer comes from where the question went */
            place->ipi_ifindex = 0;
            size_t length = answer(requests[i], messages[i].msg_len, reply, ntohl(place->ipi_addr.s_addr) % 1000003);
            if (!length) continue;
            struct iovec vector = {reply, length};
            struct msghdr answered = {asked->msg_name, asked->msg_namelen, &vector, 1, controls[i], asked->msg_controllen, 0};
            sendmsg(sock, &answered, 0);
        }
    }
}
