import { BoltsealError } from '../../base/errors.ts';
import { outsideText } from '../outside-text.ts';
import { notOffered, variable, type AmbientProvider } from './provider.ts';
import { fetchJwtSvids } from './workload-api.ts';

const SOCKET_VARIABLE = 'SPIFFE_ENDPOINT_SOCKET';

/**
 * A workload of SPIFFE (SPIRE and others). Only where the variable says so: a socket at a well-known path under /tmp could
 * be anybody's on this machine.
 */
export const spiffe: AmbientProvider = {
  name: 'spiffe',
  title: 'SPIFFE',
  isPresent: (context) => variable(context, SOCKET_VARIABLE) !== undefined,
  async fetch(audience, context) {
    const endpoint = variable(context, SOCKET_VARIABLE);
    if (endpoint === undefined) throw notOffered(spiffe, `${SOCKET_VARIABLE} is not set`);
    const [svid, ...others] = await fetchJwtSvids({ endpoint, audience }, context);
    if (svid === undefined)
      throw new BoltsealError('TOKEN_INVALID', 'the SPIFFE Workload API gave no identity token: it knows no identity', {
        hint: 'Register an entry for this workload with the SPIFFE server, and check its selectors.',
      });
    if (others.length > 0) {
      const ids = others.map(({ spiffeId }) => outsideText(spiffeId)).join(', ');
      context.emit({ kind: 'warning', message: `SPIFFE gives this workload more identities, not used: ${ids}` });
    }
    return svid.token;
  },
};
