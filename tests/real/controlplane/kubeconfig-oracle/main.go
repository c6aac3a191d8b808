// Command kubeconfig-oracle prints, as one line of JSON, what client-go makes of
// the kubeconfigs in its environment, and sends one request with it. So
// test_kubeconfigs.py can compare the exporter with client-go.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// access is what the kubeconfigs resolve to. Certificates are hashed.
type access struct {
	Server             string `json:"server"`
	Namespace          string `json:"namespace"`
	Login              string `json:"login"`
	CA                 string `json:"ca,omitempty"`
	Certificate        string `json:"certificate,omitempty"`
	Insecure           bool   `json:"insecure,omitempty"`
	ServerName         string `json:"tls-server-name,omitempty"`
	Proxy              string `json:"proxy,omitempty"`
	DisableCompression bool   `json:"disable-compression,omitempty"`
}

type answer struct {
	Access *access `json:"access,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func hash(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func login(config *rest.Config) string {
	switch {
	case config.BearerToken != "" || config.BearerTokenFile != "":
		return "token"
	case config.Username != "":
		return "basic"
	case config.ExecProvider != nil:
		return "exec"
	case config.AuthProvider != nil:
		return "auth-provider"
	}
	return "none"
}

func describe(config *rest.Config, namespace string) (*access, error) {
	server, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	files := rest.CopyConfig(config)
	if err := rest.LoadTLSFiles(files); err != nil {
		return nil, err
	}
	found := &access{
		Server:             server.Redacted(),
		Namespace:          namespace,
		Login:              login(config),
		CA:                 hash(files.CAData),
		Certificate:        hash(files.CertData),
		Insecure:           config.Insecure,
		ServerName:         config.ServerName,
		DisableCompression: config.DisableCompression,
	}
	proxyFor := config.Proxy
	if proxyFor == nil {
		proxyFor = http.ProxyFromEnvironment
	}
	proxy, err := proxyFor(&http.Request{URL: server})
	if proxy != nil {
		found.Proxy = proxy.Redacted()
	}
	return found, err
}

func send(config *rest.Config) error {
	config = rest.CopyConfig(config)
	codecs := serializer.NewCodecFactory(runtime.NewScheme())
	config.NegotiatedSerializer = codecs.WithoutConversion()
	config.GroupVersion = &schema.GroupVersion{}
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = client.Get().AbsPath("/probe").DoRaw(ctx)
	return err
}

func resolve(loader clientcmd.ClientConfig) (*access, error) {
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, err
	}
	found, err := describe(config, namespace)
	if err != nil {
		return nil, err
	}
	return found, send(config)
}

func main() {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	overrides := &clientcmd.ConfigOverrides{}
	flag.StringVar(&rules.ExplicitPath, "kubeconfig", "", "as of kubectl")
	flag.StringVar(&overrides.CurrentContext, "context", "", "as of kubectl")
	flag.StringVar(&overrides.ClusterInfo.Server, "apiserver", "",
		"as kubectl's --server")
	flag.Parse()
	found, err := resolve(
		clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides))
	out := answer{Access: found}
	if err != nil {
		out.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		os.Exit(1)
	}
}
