// Command kine serves the etcd API from an SQLite file, as kine does by default,
// with no other driver. A gateway has the part of etcd's HTTP API that the tests
// use: health, the current revision, and compaction.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/k3s-io/kine/pkg/drivers"
	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/server"
	"google.golang.org/grpc"
)

// What kine's own command has as defaults.
const (
	emulatedEtcd    = "3.6.11"
	progressSeconds = 5
	batch           = 1000
	parameters      = "?_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL" +
		"&_txlock=immediate&_stmt_cache_size=20&cache=shared"
)

// gateway answers POST requests with JSON, as etcd's does.
func gateway(backend server.Backend) http.Handler {
	answer := func(w http.ResponseWriter, value any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(value)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		_, err := backend.CurrentRevision(r.Context())
		answer(w, map[string]string{"health": "true"}, err)
	})
	mux.HandleFunc("POST /v3/kv/range", func(w http.ResponseWriter, r *http.Request) {
		revision, err := backend.CurrentRevision(r.Context())
		answer(w, map[string]any{"header": map[string]int64{"revision": revision}}, err)
	})
	mux.HandleFunc("POST /v3/kv/compaction", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Revision int64 `json:"revision"`
		}
		err := json.NewDecoder(r.Body).Decode(&request)
		if err == nil {
			_, err = backend.Compact(r.Context(), request.Revision)
		}
		answer(w, struct{}{}, err)
	})
	return mux
}

func main() {
	file := flag.String("data-file", "", "SQLite file")
	address := flag.String("listen-address", "", "for clients of etcd")
	http1 := flag.String("gateway-address", "", "for the gateway")
	flag.Parse()
	ctx := context.Background()
	_, backend, err := sqlite.New(ctx, &sync.WaitGroup{}, &drivers.Config{
		DataSourceName:   *file + parameters,
		CompactTimeout:   30 * time.Second,
		CompactBatchSize: batch,
		PollBatchSize:    batch / 2,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := backend.Start(ctx); err != nil {
		log.Fatal(err)
	}
	etcd := grpc.NewServer(grpc.MaxSendMsgSize(1 << 30))
	server.New(backend, "http", progressSeconds*time.Second, emulatedEtcd).Register(etcd)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe(*http1, gateway(backend))) }()
	log.Fatal(etcd.Serve(listener))
}
