"""Keys and certificates of one test cluster, made with the openssl command."""

import subprocess

_CONFIG = """[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
{organization}
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[serving]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
"""


def _openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True, capture_output=True)


class Certificates:
    """Files in `<folder>/pki`: ca, a serving pair, the account signing key."""

    def __init__(self, folder):
        self._folder = folder
        self.ca = folder.file("pki/ca.crt", "")
        self._ca_key = folder.file("pki/ca.key", "")
        config = self._config("kem-test-ca")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-config", config, "-extensions", "ca",
                 "-keyout", self._ca_key, "-out", self.ca)
        self.serving, self.serving_key = self._issue("apiserver", "serving")
        self.accounts_key = folder.file("pki/accounts.key", "")
        _openssl("genrsa", "-out", self.accounts_key, "2048")
        self.accounts_public = folder.file("pki/accounts.pub", "")
        _openssl("rsa", "-in", self.accounts_key, "-pubout",
                 "-out", self.accounts_public)

    def client(self, user, group=""):
        """(certificate, key) files of a client certificate for `user`."""
        return self._issue(user, "client", group)

    def serving_again(self):
        """(certificate, key) files of another serving pair."""
        return self._issue("again", "serving")

    def _config(self, name, group=""):
        organization = f"O = {group}" if group else ""
        return self._folder.file(
            f"pki/{name}.cnf",
            _CONFIG.format(name=name, organization=organization))

    def _issue(self, name, usage, group=""):
        config = self._config(name, group)
        key = self._folder.file(f"pki/{name}.key", "")
        request = self._folder.file(f"pki/{name}.csr", "")
        certificate = self._folder.file(f"pki/{name}.crt", "")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-config", config,
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
                 self._ca_key, "-CAcreateserial", "-days", "2", "-extfile",
                 config, "-extensions", usage, "-out", certificate)
        return certificate, key
