// Command monitoring reads manifests of Prometheus' operator from standard input, a JSON document a line, by the
// operator's own types: an unknown kind, an unknown field or a wrong type is an error.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	v1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if err := check(lines.Bytes()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func check(line []byte) error {
	var named struct{ APIVersion, Kind string }
	if err := json.Unmarshal(line, &named); err != nil {
		return err
	}
	var target any
	switch named.APIVersion + " " + named.Kind {
	case "monitoring.coreos.com/v1 PodMonitor":
		target = &v1.PodMonitor{}
	case "monitoring.coreos.com/v1 PrometheusRule":
		target = &v1.PrometheusRule{}
	default:
		return fmt.Errorf("unknown kind %s of %s", named.Kind, named.APIVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("%s: %w", named.Kind, err)
	}
	return nil
}
