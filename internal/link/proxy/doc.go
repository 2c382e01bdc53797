// Package proxy is a console door's end of the wire: it joins the deployment, has
// users' tickets redeemed by control and joins terminals at the hosts. It satisfies
// term.Desk.
package proxy
