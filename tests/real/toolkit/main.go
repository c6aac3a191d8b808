// Command web-config-oracle serves HTTP as the Prometheus exporter-toolkit does
// with a web configuration, or exits with 1 where the toolkit refuses the file.
// So test_toolkit.py can compare the exporter with the toolkit.
package main

import (
	"flag"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/exporter-toolkit/web"
)

func main() {
	address := flag.String("web.listen-address", "", "as of an exporter")
	config := flag.String("web.config.file", "", "as of an exporter")
	flag.Parse()
	systemd := false
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	page := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }
	err := web.ListenAndServe(&http.Server{Handler: http.HandlerFunc(page)}, &web.FlagConfig{
		WebListenAddresses: &[]string{*address},
		WebSystemdSocket:   &systemd,
		WebConfigFile:      config,
	}, logger)
	logger.Error(err.Error())
	os.Exit(1)
}
